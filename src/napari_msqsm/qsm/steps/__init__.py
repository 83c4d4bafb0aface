"""What each step of the chain does with the values that flow; the methods themselves know nothing of it."""
