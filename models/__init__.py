"""What a risk model is: rules, a fitted model, its explanation and its papers."""
