"""What a laboratory has already: susceptibility maps, masks, transforms, and tables of patients and visits."""
