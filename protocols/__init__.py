"""What may be said, and when: message types, protocol tables, conversations, desks. No I/O, no clock."""
