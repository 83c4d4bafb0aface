"""What the receiver, the coils and the readout add to the phase of the echoes."""
