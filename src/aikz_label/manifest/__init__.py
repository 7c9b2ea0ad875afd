"""The marker as the specification of C2PA has it: assertions, what they mean, and how they are written in bytes."""
