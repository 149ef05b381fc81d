"""The simulator: position flows -> live leveraged positions -> liquidations."""
