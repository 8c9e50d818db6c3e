"""The assistant: graph, planners, memory and the channels people reach it by."""
