"""The graph of a turn: screen -> plan -> act -> (plan again) -> answer -> (pause -> reply -> …).

The state that a checkpoint keeps is the text and the memory, as plain values. Who asks, the present and everything that
was fetched live in the runtime context, which is never stored. A tool that acts comes back from the gateway as a
proposal, after the policy has agreed; the answer shows it, and the graph pauses until the person's next words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from matpho_agent.answers.calls import Done, Reader
from matpho_agent.answers.compose import compose
from matpho_agent.answers.facts import area_name, pick
from matpho_agent.answers.questions import question
from matpho_agent.answers.talk import talk
from matpho_agent.language.detect import language_of
from matpho_agent.model_words import checked_words, only_wished_acts
from matpho_agent.pausing import Pausing
from matpho_agent.planner.llm import PlannerFailedError, ask_model
from matpho_agent.planner.model import ASK_USER, TALK, DeterministicPlanner
from matpho_agent.planner.model_settings import AssistantSettings
from matpho_agent.planner.plan import Memory, Pending, QueryPlan
from matpho_agent.remember import keep_history, note_named, note_refused, remember
from matpho_agent.seen import for_planner, is_lookup, unnamed, without_persons
from matpho_agent.turn import State, TurnContext, end_of, memory_of
from matpho_contracts.times import VIETNAM
from matpho_prompts.library import PromptLibrary
from matpho_tools.contract import Outcome, ToolResult
from matpho_tools.gateway import Gateway
from matpho_tools.registry import TOOLS, openai_schemas
from matpho_tools.scrubbing import scrubbed
from matpho_tools.trail import Origin

MAX_PLANS = 10
"""Times that the planner is asked in one turn."""
MAX_LOOKUPS = 6
"""Lookups in one turn, besides the calls that answer."""
TOKEN_WORDS = 6
"""Words sent to the reader at a time."""
Compiled = CompiledStateGraph[State, TurnContext, State, State]


class TurnGraph:
    """The nodes; built once, run for every turn."""

    def __init__(
        self, gateway: Gateway, settings: AssistantSettings, prompts: PromptLibrary, model: BaseChatModel | None
    ) -> None:
        self._gateway = gateway
        self._settings = settings
        self._prompts = prompts
        self._model = model
        self._rules = DeterministicPlanner().bind_tools(openai_schemas())
        self._pausing = Pausing(gateway, self._origin)

    def compile(self, saver: BaseCheckpointSaver[str]) -> Compiled:
        """The graph with its store of conversations."""
        graph = StateGraph(State, context_schema=TurnContext)
        graph.add_node("screen", self._screen)
        graph.add_node("plan", self._plan)
        graph.add_node("act", self._act)
        graph.add_node("answer", self._answer)
        graph.add_node("pause", self._pausing.pause)
        graph.add_node("reply", self._pausing.reply)
        graph.add_edge(START, "screen")
        graph.add_conditional_edges("screen", _after_screen, {"plan": "plan", "answer": "answer", "reply": "reply"})
        graph.add_conditional_edges("plan", _after_plan, {"act": "act", "answer": "answer"})
        graph.add_conditional_edges("act", _after_act, {"plan": "plan", "answer": "answer"})
        graph.add_conditional_edges("answer", _after_answer, {"pause": "pause", END: END})
        graph.add_edge("pause", "screen")
        graph.add_conditional_edges("reply", _after_reply, {"plan": "plan", "act": "act", "answer": "answer"})
        return graph.compile(checkpointer=saver)

    async def _screen(self, state: State, runtime: Runtime[TurnContext]) -> State:
        """Refusals come first, on the person's own words, before anything is planned or answered yes to."""
        context, memory = runtime.context, memory_of(state)
        memory.language = language_of(state["text"], memory.language)
        record = context.record
        record.language = memory.language
        result = await self._gateway.screen(
            context.principal, state["text"], self._origin(context), report=_is_report(memory)
        )
        if result is not None:
            await self._pausing.drop(context, memory)
            record.outcome, record.rule, record.finished = "refused", result.rule, True
            record.said = pick(memory.language, result.message_vi, result.message_en)
            note_refused(memory, state["text"], context.situation)
        record.messages = self._opening(state["text"], context, memory)
        return {"memory": memory.model_dump(mode="json"), "calls": []}

    async def _plan(self, state: State, runtime: Runtime[TurnContext]) -> State:
        """Ask the model for the next calls, or the rules; a model that fails gives way to the rules and says so."""
        context, memory = runtime.context, memory_of(state)
        record = context.record
        record.steps += 1
        runtime.stream_writer({"type": "step", "step": "plan"})
        message = await self._from_model(state["text"], context, memory)
        if message is None:
            if record.done and record.note and self._model is not None:
                return {"calls": []}
            said = [HumanMessage(state["text"]), *_after_human(record.messages)]
            message = await self._rules.ainvoke(said, situation=context.situation, memory=memory)
        record.messages.append(message)
        if not message.tool_calls and isinstance(message.content, str) and message.content and not record.done:
            record.said = message.content
        return {"calls": [{"name": c["name"], "args": c["args"], "id": c["id"]} for c in message.tool_calls]}

    async def _from_model(self, text: str, context: TurnContext, memory: Memory) -> AIMessage | None:
        """The model's next message; None where there is no model, or it failed in this turn."""
        record = context.record
        if self._model is None or record.note or self._settings.model is None:
            return None
        try:
            planned = await ask_model(self._model, record.messages, context.places, self._settings.model.timeout_s)
            said = [str(each.content) for each in record.messages if isinstance(each, HumanMessage)]
            message = checked_words(planned, str(record.messages[0].content), said)
            only_wished_acts(message, text, context.situation, memory)
        except PlannerFailedError as error:
            record.note, record.planner = error.message, "rules"
            return None
        record.planner = "model"
        return message

    async def _act(self, state: State, runtime: Runtime[TurnContext]) -> State:
        """Run the planned calls one after the other; stop at the first that does not answer."""
        context, memory = runtime.context, memory_of(state)
        for call in state["calls"]:
            name, arguments = call["name"], call["args"]
            if name in {ASK_USER, TALK}:
                await self._speak(name, arguments, context, memory)
                break
            if not self._may_go_on(context, lookup=is_lookup(call)):
                break
            runtime.stream_writer({"type": "step", "step": "tool", "tool": name})
            result = await self._gateway.call(
                context.principal,
                name,
                arguments,
                channel=context.channel,
                conversation_id=context.conversation_id,
                prompts=self._prompts.version,
                model=self._settings.model.name if context.record.planner == "model" and self._settings.model else "",
                now=context.now,
            )
            self._take_note(call, result, context, memory)
            if context.record.finished:
                break
        return {"memory": memory.model_dump(mode="json"), "calls": []}

    def _may_go_on(self, context: TurnContext, *, lookup: bool) -> bool:
        """Whether the turn's limits leave room for one more call; where not, the answer says so."""
        record = context.record
        if lookup:
            record.lookups += 1
        if len(record.done) < self._settings.max_calls and record.lookups <= MAX_LOOKUPS:
            return True
        record.finished, record.limited = True, True
        return False

    def _take_note(self, call: Mapping[str, Any], result: ToolResult, context: TurnContext, memory: Memory) -> None:
        """Keep what a call brought: for the answer, for the planner, for the next sentence."""
        record, name, arguments = context.record, call["name"], call["args"]
        record.calls.append({"name": name, "arguments": dict(arguments)})
        record.messages.append(ToolMessage(for_planner(result), tool_call_id=str(call["id"]), name=name))
        went_well = result.outcome is Outcome.ANSWERED
        if is_lookup(call) and went_well:
            return
        done = Done(name, arguments, result)
        record.done.append(done)
        memory.pending = None
        remember(memory, done)
        if went_well:
            return
        record.outcome, record.rule, record.finished = end_of(result), result.rule, True
        if result.outcome is Outcome.CONFIRM:
            self._pausing.wait(result, context, memory)
        elif result.outcome is Outcome.CLARIFY:
            record.missing = str(result.data.get("missing", ""))
            options = [str(option) for option in result.data.get("options", ())]
            plan = QueryPlan(intent=name, arguments=dict(arguments))
            memory.pending = Pending(plan=plan, missing=record.missing, options=options)
            record.said = question(record.missing, options, memory, context.city, memory.language, context.now)

    async def _speak(self, name: str, arguments: Mapping[str, Any], context: TurnContext, memory: Memory) -> None:
        """A question back or a word of talk; nobody is asked for the rest of what they may not do anyway."""
        record, language = context.record, memory.language
        asks = name == ASK_USER
        plan = QueryPlan.model_validate(arguments["plan"] if asks else {"intent": arguments["about"]})
        if plan.intent in TOOLS:
            denied = await self._gateway.denied(
                context.principal, plan.intent, plan.known(), self._origin(context), now=context.now
            )
            if denied is not None:
                note_named(memory, plan.intent, plan.known())
                record.outcome, record.rule, record.finished = "denied", denied.rule, True
                record.said = pick(language, denied.message_vi, denied.message_en)
                return
        if asks:
            record.outcome, record.missing, record.finished = "clarify", arguments["missing"], True
            options = list(arguments["options"])
            record.said = question(record.missing, options, memory, context.city, language, context.now)
            memory.pending = Pending(plan=plan, missing=record.missing, options=options) if plan.intent else None
            note_named(memory, plan.intent, plan.arguments)
            return
        prompt = self._prompts.get(context.principal.role.value, language)
        said = talk(arguments["topic"], arguments["about"], prompt, context.principal, language)
        record.said = said if not record.done else record.said
        if arguments["topic"] == "dropped":
            memory.pending = None
        record.messages.append(AIMessage(content=""))

    async def _answer(self, state: State, runtime: Runtime[TurnContext]) -> State:
        """Write the answer from the results alone and send it on in pieces."""
        context, memory = runtime.context, memory_of(state)
        record = context.record
        reader = Reader(context.principal, memory.language, context.now, context.city)
        parts = [compose(record.done, reader), record.said, _limits(context, memory.language), *record.notices]
        record.answer = scrubbed("\n\n".join(part for part in parts if part))
        if record.note:
            record.answer += "\n" + pick(
                memory.language,
                "(Mô hình ngôn ngữ không dùng được, bộ lập kế hoạch theo luật đã làm thay.)",
                "(The language model could not be used; the rule-based planner took over.)",
            )
        ids = [name for done in record.done for name in done.result.ids]
        keep_history(memory, unnamed(state["text"]), [without_persons(call) for call in record.calls], ids)
        words = record.answer.split(" ")
        for start in range(0, len(words), TOKEN_WORDS):
            piece = " ".join(words[start : start + TOKEN_WORDS])
            runtime.stream_writer({"type": "token", "text": piece + (" " if start + TOKEN_WORDS < len(words) else "")})
        return {"memory": memory.model_dump(mode="json"), "calls": [], "text": ""}

    def _opening(self, text: str, context: TurnContext, memory: Memory) -> list[BaseMessage]:
        """System prompt, the last exchanges in short, the question. The principal appears as an area name at most."""
        prompt = self._prompts.get(context.principal.role.value, memory.language)
        area = ", ".join(area_name(context.city, code) for code in context.principal.areas) or "-"
        now = context.now.astimezone(VIETNAM).isoformat(timespec="minutes")
        messages: list[BaseMessage] = [SystemMessage(prompt.filled(now=now, area=area))]
        for entry in memory.history:
            messages.append(HumanMessage(entry["user"]))
            messages.append(AIMessage(json.dumps({"called": entry["calls"], "ids": entry["ids"]}, ensure_ascii=False)))
        return [*messages, HumanMessage(text)]

    def _origin(self, context: TurnContext) -> Origin:
        return Origin(context.channel, context.conversation_id, self._prompts.version)


def _is_report(memory: Memory) -> bool:
    """Whether the next words were asked for as the text of a citizen's report."""
    waiting = memory.pending
    return waiting is not None and waiting.plan.intent == "submit_feedback" and waiting.missing == "text"


def _after_human(messages: list[BaseMessage]) -> list[BaseMessage]:
    start = max(index for index, message in enumerate(messages) if isinstance(message, HumanMessage))
    return messages[start + 1 :]


def _limits(context: TurnContext, language: str) -> str:
    """What is said where the turn was cut short."""
    if not context.record.limited:
        return ""
    return pick(
        language,
        "Tôi dừng ở đây vì đã đủ số bước cho một lượt; phần còn lại chưa làm. Xin hỏi tiếp từng việc một.",
        "I stop here: this turn has used all its steps and the rest was not done. Please ask for one thing at a time.",
    )


def _after_screen(state: State, runtime: Runtime[TurnContext]) -> Literal["plan", "answer", "reply"]:
    if runtime.context.record.finished:
        return "answer"
    return "reply" if (state.get("memory") or {}).get("proposal") else "plan"


def _after_plan(state: State) -> Literal["act", "answer"]:
    return "act" if state["calls"] else "answer"


def _after_act(_state: State, runtime: Runtime[TurnContext]) -> Literal["plan", "answer"]:
    record = runtime.context.record
    return "answer" if record.finished or record.steps >= MAX_PLANS else "plan"


def _after_answer(state: State) -> str:
    return "pause" if (state.get("memory") or {}).get("proposal") else END


def _after_reply(state: State, runtime: Runtime[TurnContext]) -> Literal["plan", "act", "answer"]:
    if runtime.context.record.finished:
        return "answer"
    return "act" if state["calls"] else "plan"
