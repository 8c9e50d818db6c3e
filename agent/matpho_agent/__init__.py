"""The assistant: plan, run tools through the gateway, answer with citations.

Two switches are set before LangGraph is imported anywhere: a stored checkpoint may hold plain values only (a forged one
could otherwise run code), and nothing is ever traced to an outside service.
"""

import os

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
os.environ["LANGSMITH_TRACING"] = "false"
