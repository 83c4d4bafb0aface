"""What a series is taken for, from header and name, and how sure that is."""

from __future__ import annotations

import pytest

from napari_msqsm.workflow.dicom_import.features import features_of
from napari_msqsm.workflow.dicom_import.roles import has_agent, propose_role
from napari_msqsm.workflow.dicom_import.words import agent_of_name, role_of_name, set_aside

SURE = 0.8


@pytest.mark.parametrize("role", ["MEGRE", "FLAIR", "T1w", "ce-gadolinium_T1w", "T2w"])
def test_header_and_name_agree(scanner, role):
    found = propose_role(scanner.series(role))
    assert found.role == role
    assert found.confidence >= SURE
    assert "name agrees" in found.why


@pytest.mark.parametrize("role", ["MEGRE", "FLAIR", "T1w", "T2w"])
def test_header_alone_suffices(scanner, role):
    found = propose_role(scanner.series(role, description="WIP 7"))
    assert found.role == role
    assert 0.5 < found.confidence < 0.9


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("t2_space_dark-fluid_sag_p2_iso", "FLAIR"),
        ("t2_spc_da-fl_sag", "FLAIR"),
        ("t2_tirm_tra_dark-fluid", "FLAIR"),
        ("Sag CUBE T2 FLAIR", "FLAIR"),
        ("3D_Brain_VIEW_FLAIR_SHC", "FLAIR"),
        ("AX T1 FLAIR", "T1w"),
        ("t1_mprage_sag_p2_iso", "T1w"),
        ("Sag 3D BRAVO", "T1w"),
        ("sT1W_3D_TFE", "T1w"),
        ("AX IR-FSPGR", "T1w"),
        ("t1_gre_fsp_3d_sag", "T1w"),
        ("t1_vibe_tra", "T1w"),
        ("T1 axial", "T1w"),
        ("t2_tse_tra_320", "T2w"),
        ("Ax T2 PROPELLER", "T2w"),
        ("t2_blade_tra", "T2w"),
        ("T2W_TSE", "T2w"),
        ("AX FRFSE", "T2w"),
        ("gre_qsm_tra_p2", "MEGRE"),
        ("Ax SWAN QSM", "MEGRE"),
        ("QSM_mFFE", "MEGRE"),
        ("t2_swi3d_tra", "MEGRE"),
        ("SWIp", "MEGRE"),
        ("eSWAN", "MEGRE"),
        ("T2*_3D", "MEGRE"),
        ("t2_star ME-GRE", "MEGRE"),
        ("3D multi-echo GRE", "MEGRE"),
        ("fl3d_ax", None),
    ],
)
def test_names(name, role):
    assert role_of_name(name) == role


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("localizer", "localizer"),
        ("3-plane loc", "localizer"),
        ("AAHead_Scout", "localizer"),
        ("Survey", "localizer"),
        ("ep2d_diff_mddw", "diffusion"),
        ("DWI_ADC", "diffusion"),
        ("gre_field_mapping", "field map"),
        ("TOF_3D_multi-slab", "angiography"),
        ("mIP_Images(SW)", "projection"),
        ("SWI_Images", "processed"),
        ("t1_mprage_MPR_tra", "reformatted"),
        ("SUB post-pre", "subtraction"),
        ("T1 HWS sag", "head"),
        ("T2 C-Spine", "head"),
        ("t2_tse_rachis", "head"),
        ("3D DIR", "inversion recovery"),
        ("PD TSE", "not used"),
        ("Phoenix Report", "report"),
    ],
)
def test_names_that_are_set_aside(name, words):
    assert words in set_aside(name)


@pytest.mark.parametrize(
    "name", ["t1_mprage_sag", "sub-01_T1w", "t2_tse_fa 150", "FLAIR", "gre_qsm", "T1 fl3d FA 15", ""]
)
def test_names_that_are_not_set_aside(name):
    assert set_aside(name) == ""


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("t1_mprage_sag_KM", True),
        ("Sag BRAVO +C", True),
        ("T1 Gd", True),
        ("T1W_TSE_post", True),
        ("T1 nach KM", True),
        ("T1 apres injection", True),
        ("T1 post contrast", True),
        ("t1_gre_fsp_3d_sag+C", True),
        ("T1 C+", True),
        ("T1 nativ", False),
        ("T1 ohne KM", False),
        ("T1 o. KM", False),
        ("T1 vor Kontrast", False),
        ("T1 sans gado", False),
        ("T1 pre Gd", False),
        ("T1 non-contrast", False),
        ("T1 without contrast", False),
        ("SUB post - pre", None),
        ("t1_mprage_sag_iso", None),
        ("T1 No 3", None),
        ("t1_se_cor posterior", None),
    ],
)
def test_agent_by_name(name, after):
    assert agent_of_name(name) is after


def test_disagreement_is_told_and_lowers_the_confidence(scanner):
    found = propose_role(scanner.series("FLAIR", description="t2_tse_tra"))
    assert found.role == "FLAIR"
    assert found.confidence <= 0.5
    assert "though its name speaks of T2w" in found.why


def test_name_alone_is_a_weak_proposal(scanner):
    found = propose_role(scanner.series("", description="FLAIR", echo_times_s=(0.1,)))
    assert found.role == "FLAIR"
    assert found.confidence < 0.6


def test_nothing_known(scanner):
    found = propose_role(scanner.series("", description="series"))
    assert found.role == "ignore"
    assert found.confidence < 0.5


def test_what_is_left_of_damaged_echoes_is_no_t1w(scanner):
    """As the last run of its session it would be taken instead of the true one."""
    found = propose_role(scanner.series("MEGRE", echo_times_s=(0.005,)))
    assert found.role == "ignore"
    assert "one short echo, 5 ms, though its name speaks of MEGRE" in found.why
    spoiled = {"ScanningSequence": "GR", "RepetitionTime": 20.0, "InversionTime": None}
    assert propose_role(scanner.series("T1w", echo_times_s=(0.004,), **spoiled)).role == "T1w"


def test_coils_that_were_not_combined_are_left_out(scanner):
    """Of vendors that do not name the coil of an image, four dimensions are all that tells."""
    found = propose_role(scanner.series("MEGRE", parts=("mag", "phase"), shape=(6, 7, 5, 8)))
    assert found.role == "ignore"
    assert found.why.startswith("8 volumes of each echo: coils that were not combined")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "reformatted"),
        ({"ImageType": ["DERIVED", "PRIMARY", "SUB"]}, "subtraction"),
        ({"ImageType": ["DERIVED", "SECONDARY"]}, "derived"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "MNIP"]}, "projection"),
        ({"Modality": "OT"}, "not MR"),
        ({"BodyPartExamined": "CSPINE"}, "not the head"),
        ({"shape": (6, 7, 1)}, "localizer"),
        ({"shape": (6, 7, 5, 20)}, "volumes"),
        ({"description": "t1_mprage_MPR_cor"}, "reformatted"),
    ],
)
def test_what_is_no_part_of_a_study(scanner, changes, words):
    found = propose_role(scanner.series("T1w", **changes))
    assert found.role == "ignore"
    assert found.confidence >= 0.7
    assert words in found.why


@pytest.mark.parametrize(
    ("header", "times", "role", "words"),
    [
        ({"ScanningSequence": "GR", "RepetitionTime": 500.0}, (0.00492, 0.00738), "ignore", "B0 field map"),
        ({"ScanningSequence": "GR", "RepetitionTime": 30.0}, (0.02,), "ignore", "several echoes"),
        ({"ScanningSequence": "GR", "RepetitionTime": 40.0}, (0.007, 0.02), "MEGRE", "two echoes"),
        ({"ScanningSequence": "SE", "RepetitionTime": 2000.0}, (0.02, 0.04, 0.06, 0.08), "ignore", "T2 map"),
        ({"ScanningSequence": "SE", "RepetitionTime": 3000.0}, (0.012,), "ignore", "proton density"),
        ({"ScanningSequence": "SE", "RepetitionTime": 600.0}, (0.012,), "T1w", "short"),
        (
            {"ScanningSequence": ["SE", "IR"], "RepetitionTime": 4000.0, "InversionTime": 150.0},
            (0.05,),
            "ignore",
            "fat",
        ),
        ({"ScanningSequence": ["SE", "IR"], "RepetitionTime": 2000.0, "InversionTime": 860.0}, (0.01,), "T1w", "inv"),
        ({"ScanningSequence": "EP", "RepetitionTime": 4000.0}, (0.08,), "ignore", "echo-planar"),
        ({"ScanningSequence": "RM", "RepetitionTime": 40.0}, (0.004, 0.01, 0.016, 0.022), "MEGRE", "4 echoes"),
        ({"ScanningSequence": "RM", "SequenceName": "*tfl3d1_16ns", "RepetitionTime": 2300.0}, (0.003,), "T1w", "grad"),
        (
            {"ScanningSequence": "IR", "RepetitionTime": 11000.0, "InversionTime": 2800.0},
            (0.125,),
            "FLAIR",
            "inversion",
        ),
        ({"ScanningSequence": "RM", "RepetitionTime": 9000.0, "InversionTime": 2470.0}, (0.12,), "FLAIR", "inversion"),
        ({"ScanningSequence": "RM", "RepetitionTime": 7.6, "InversionTime": 250.0}, (0.003,), "T1w", "inversion"),
        ({"ScanningSequence": "RM", "RepetitionTime": 30.0}, (0.02,), "ignore", "nor name"),
        ({"ScanningSequence": "GR", "SequenceVariant": "MP", "RepetitionTime": 8.0}, (0.0037,), "T1w", "inversion"),
        ({"EchoPulseSequence": "SPIN", "InversionRecovery": "YES", "RepetitionTime": 5000.0}, (0.38,), "FLAIR", "time"),
        ({"EchoPulseSequence": "SPIN", "InversionTimes": 1650.0, "RepetitionTime": 4800.0}, (0.3,), "FLAIR", "TI 1650"),
        ({"EchoPulseSequence": "GRADIENT", "RepetitionTime": 40.0}, (0.004, 0.01, 0.016), "MEGRE", "3 echoes"),
    ],
)
def test_physics_of_other_sequences(scanner, header, times, role, words):
    found = propose_role(scanner.series("", description="x", echo_times_s=times, **header))
    assert found.role == role
    assert words in found.why


def test_many_echoes_outweigh_a_name(scanner):
    found = propose_role(scanner.series("MEGRE", description="gre_field_mapping_multi"))
    assert found.role == "ignore"
    assert found.confidence < 0.5, "somebody should look"


def test_many_echoes_outweigh_an_image_type_of_swi(scanner):
    assert propose_role(scanner.series("MEGRE", ImageType=["ORIGINAL", "PRIMARY", "M", "SWI"])).role == "MEGRE"


def test_field_map_of_the_scanner(scanner):
    found = propose_role(scanner.series("", description="B0map", parts=("mag", "field")))
    assert (found.role, found.confidence) == ("fieldmap", 0.9)


@pytest.mark.parametrize("word", ["", "None", "NO", "ohne", "n/a", "-"])
def test_a_word_for_no_agent_is_no_agent(scanner, word):
    assert has_agent(scanner.series("T1w", ContrastBolusAgent=word)) == (None, "")


def test_damaged_header_values_count_as_absent(scanner):
    series = scanner.series(
        "T1w", RepetitionTime="x", InversionTime=[], FlipAngle=-1.0, ScanningSequence=7, ImageType=None, SequenceName=3
    )
    features = features_of(series)
    assert features.repetition_time_s is features.inversion_time_s is features.flip_angle_deg is None
    assert propose_role(series).role in ("T1w", "ignore")
