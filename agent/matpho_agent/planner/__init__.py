"""Planning: from a sentence to typed tool calls, by rules or by a model."""
