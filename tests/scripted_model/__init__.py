"""A model that answers by script: an OpenAI-compatible server whose answers the prompt itself prescribes."""
