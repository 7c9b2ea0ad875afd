"""The notice people perceive: wording, letters, drawing and measuring. Shared by all adapters."""
