"""What a person meets first: the jobs of the tool descriptions, the skill and the status."""
