"""The script survives its way through a prompt, and mistakes in it are reported."""

import pytest

from tests.scripted_model.actions import Step, Text
from tests.scripted_model.conversation import answer, read
from tests.scripted_model.script import (
    END,
    ScriptError,
    bash,
    cut,
    failure,
    finish,
    hold,
    parse,
    question,
    reasoning,
    script,
    silence,
    spoken,
    step,
    structured,
    task,
    text,
    todos,
    usage,
    words,
    write,
)

EVERYTHING: list[Step] = [
    step(reasoning("hm"), text("two\nlines"), words(5, chunk=2, delay=0.1), finish("length"), usage(input=0, output=1)),
    step(bash("ls"), write("a.txt", "SCRIPT: not one\n"), todos(("a", "pending"))),
    step(question("Which?", "A", "B"), task(script(text("nested")))),
    step(hold("here"), silence(0.5), cut(times=1), failure(429, headers={"retry-after": "1"}, times=2)),
    step(structured({"answer": 42})),
]


def chat(*messages: tuple[str, str], system: str = "") -> dict[str, object]:
    spoken_by = [{"role": role, "content": content} for role, content in (("system", system), *messages)]
    return {"model": "m1", "messages": spoken_by}


def test_a_script_reads_back_as_it_was_written() -> None:
    assert parse(script(*EVERYTHING)) == EVERYTHING


def test_what_people_say_is_distinguished_from_the_script() -> None:
    assert spoken(script(text("hi"), say="Greet\nme")) == "Greet\nme"


def test_a_prompt_without_a_script_has_none() -> None:
    assert parse("Just a SCRIPT: of words") is None


@pytest.mark.parametrize("line", ["[", "[[{}]]", '[[{"do":"dance"}]]', '[[{"do":"hold","nome":"x"}]]', '["text"]'])
def test_a_script_with_a_mistake_is_refused_with_the_line(line: str) -> None:
    with pytest.raises(ScriptError) as refused:
        parse(f"SCRIPT: {line}")
    assert line in str(refused.value)


def test_each_answer_to_a_prompt_takes_the_next_step() -> None:
    prompt = ("user", script(text("one"), text("two")))
    earlier = (("user", "before"), ("assistant", "something"))
    first = chat(*earlier, prompt)
    second = chat(*earlier, prompt, ("assistant", "one"), ("tool", "done"))
    third = chat(*earlier, prompt, ("assistant", "one"), ("assistant", "two"))
    assert [answer(read(body, "ses_1")) for body in (first, second, third)] == [
        (Text("one"),),
        (Text("two"),),
        (Text(END),),
    ]


def test_an_image_that_a_tool_read_does_not_start_the_script_anew() -> None:
    image = ("user", "Attached media from tool result:")
    body = chat(("user", script(text("one"), text("two"))), ("assistant", "one"), image)
    assert answer(read(body, "ses_1")) == (Text("two"),)


def test_the_title_comes_from_what_the_prompt_says() -> None:
    body = chat(("user", script(text("no"), say="Sort the files")), system="You are a title generator.")
    assert answer(read(body, "ses_1")) == (Text("Sort the files"),)
