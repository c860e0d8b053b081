"""Sentences that say why a completed run has no whole answer, by which its next step is chosen."""

CUT = "cut at the model's token limit"
NO_ANSWER = "The model gave no answer"
QUESTION_DISMISSED = "The run ended because its question was dismissed, not because the task was done."
PERMISSION_REFUSED = "The run ended because the permission for {} was refused, not because the task was done."
