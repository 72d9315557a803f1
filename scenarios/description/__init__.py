"""What a scenario is: its parts as frozen models, and what must fit together across them."""
