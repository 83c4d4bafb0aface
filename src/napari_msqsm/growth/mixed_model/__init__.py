"""Linear mixed model with nested random intercepts (patient, lesion) and an optional random slope of the patient.

    y = X β + Z_p u_p + Z_l v_l + e,   u ~ N(0, σ² Λ Λᵀ),  v ~ N(0, σ² θ_l²),  e ~ N(0, σ²)

Bates D et al., J Stat Softw 2015;67(1) (doi 10.18637/jss.v067.i01) is what is computed; the algebra is our own: lesions
lie within patients, so that the inverse of every block of V comes from two closed-form steps (Woodbury), and nothing
larger than the number of fixed effects is factorised.
"""
