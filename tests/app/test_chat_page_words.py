"""The chat page's words: both catalogues say the same, and all that the page asks for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

import matpho_platform
from matpho_agent.channels.web import PAGES
from matpho_contracts.vocabulary import Severity
from matpho_tools import refusals
from matpho_tools.registry import EXPOSED, TOOLS
from matpho_tools.wording import DENIALS

ASKED = re.compile(r"""\bt\("([a-z_]+)"\)""")


def catalogue(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAGES / "locales" / f"{language}.json").read_text(encoding="utf-8"))
    return found


def test_both_languages_have_the_same_keys_and_as_many_examples() -> None:
    vi, en = catalogue("vi"), catalogue("en")
    assert vi.keys() == en.keys()
    assert all(len(vi[key]) == len(en[key]) for key in vi if key.startswith("try_"))
    assert all(vi[key] and en[key] for key in vi)


def test_every_word_that_the_page_asks_for_is_there() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (PAGES / "app").glob("*.js"))
    made = {f"tool_{name}" for name in EXPOSED} | {f"severity_{severity}" for severity in Severity}
    made |= {f"act_{name}" for name in EXPOSED if TOOLS[name].prepare is not None}
    assert set(ASKED.findall(source)) | made <= catalogue("vi").keys()


def test_every_rule_that_may_say_no_has_a_name() -> None:
    policies = Path(str(matpho_platform.__file__)).parent / "access" / "policies"
    rules = {name for file in policies.glob("*.cedar") for name in re.findall(r'@rule\("(\w+)"\)', file.read_text())}
    refused = yaml.safe_load(Path(refusals.__file__).with_name("refusals.yaml").read_text(encoding="utf-8"))["rules"]
    assert {"step_up", "own_request"} <= rules
    assert {f"rule_{name}" for name in rules | DENIALS.keys() | refused.keys()} <= catalogue("vi").keys()


def test_the_page_names_no_other_host_and_nothing_inline() -> None:
    ours = [PAGES / "index.html", *(PAGES / "app").glob("*.*")]
    for path in ours:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|innerHTML|dangerouslySetInnerHTML|\sstyle=|\son[a-z]+=\"", text), path.name
