"""Asks a server of the OpenAI API for its whole surface with the client that users have, and prints what came as JSON.

usage: openai_surface.py URL MODEL
"""

import json
import sys
import urllib.error
import urllib.request

import openai

#: Different in each answer.
OWN = {"id", "created", "_request_id"}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def main(url: str, model: str) -> None:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    say = [{"role": "user", "content": "the quick"}]
    greedy = {"model": model, "temperature": 0, "max_tokens": 12}
    warm = greedy | {"temperature": 1}
    complete = client.completions.create
    chat = client.chat.completions.create
    asked = {
        "models": lambda: client.models.list(),
        "completion": lambda: complete(prompt="the quick", **greedy),
        "completion n": lambda: complete(prompt="the quick", n=2, seed=5, **warm),
        "completion prompts": lambda: complete(prompt=["silent", "every"], **greedy),
        "completion logprobs": lambda: complete(prompt="the quick", logprobs=1, **greedy),
        "completion echo": lambda: complete(prompt="the quick", echo=True, **greedy),
        "completion stop": lambda: complete(prompt="the quick", stop=["o"], **greedy),
        "completion stream": lambda: stream(complete(prompt="the quick", stream=True, **greedy)),
        "completion stream usage": lambda: stream(
            complete(prompt="a", stream=True, stream_options={"include_usage": True}, **greedy)
        ),
        "chat": lambda: chat(messages=say, **greedy),
        "chat n": lambda: chat(messages=say, n=2, seed=5, **warm),
        "chat logprobs": lambda: chat(messages=say, logprobs=True, top_logprobs=2, **greedy),
        "chat logprobs alone": lambda: chat(messages=say, logprobs=True, **greedy),
        "chat stream": lambda: stream(chat(messages=say, stream=True, **greedy)),
        "chat stream usage": lambda: stream(
            chat(messages=say, stream=True, n=2, seed=5, stream_options={"include_usage": True}, **warm)
        ),
        "chat stream logprobs": lambda: stream(
            chat(messages=say, stream=True, logprobs=True, top_logprobs=1, **greedy)
        ),
        "tools": lambda: chat(messages=say, tools=[WEATHER], tool_choice="auto", **greedy),
        "tools stream": lambda: stream(chat(messages=say, tools=[WEATHER], stream=True, **greedy)),
        "tool named": lambda: chat(
            messages=say,
            tools=[WEATHER],
            tool_choice={"type": "function", "function": {"name": "weather"}},
            **(greedy | {"max_tokens": 40}),
        ),
        "json": lambda: chat(messages=say, response_format={"type": "json_object"}, **greedy),
        "no such model": lambda: complete(prompt="a", **(greedy | {"model": "nowhere"})),
        "bad value": lambda: chat(messages=say, **(greedy | {"temperature": -1})),
        "too long": lambda: complete(prompt="a " * 5000, **greedy),
        "embeddings": lambda: client.embeddings.create(model=model, input="a"),
    }
    found = {name: outcome(ask) for name, ask in asked.items()}
    for path in ("/health", "/version", "/v1/nowhere"):
        found[path] = plain(url + path)
    found["/metrics"] = plain(url + "/metrics")[0]
    found["/tokenize"] = plain(url + "/tokenize", json.dumps({"model": model, "prompt": "the quick"}))
    status, text, fields = plain(url + "/v1/completions", json.dumps({"prompt": "the quick", **greedy}))
    found["raw"] = [status, without_own(json.loads(text)), fields]
    found["not JSON"] = plain(url + "/v1/completions", "{")
    json.dump(found, sys.stdout)


def outcome(ask) -> object:
    try:
        answer = ask()
        return answer if isinstance(answer, dict) else without_own(answer.model_dump())
    except openai.APIStatusError as error:
        return [error.status_code, error.body]


def stream(events) -> dict:
    """What came, put together by choice: how many tokens an event carries is a matter of timing."""
    text: dict[int, str] = {}
    ends: dict[int, object] = {}
    logprobs: dict[int, list] = {}
    forms: set[str] = set()
    usage = None
    for event in events:
        whole = event.model_dump(exclude_unset=True)
        usage = whole.get("usage") or usage
        forms.update(form("", without_own(whole)))
        for choice in whole["choices"]:
            k = choice["index"]
            said = choice["text"] if "text" in choice else (choice["delta"].get("content") or "")
            text[k] = text.get(k, "") + said
            ends[k] = choice.get("finish_reason") or ends.get(k)
            logprobs.setdefault(k, []).extend((choice.get("logprobs") or {}).get("content") or [])
    return {"text": text, "ends": ends, "usage": usage, "logprobs": logprobs, "forms": sorted(forms)}


def form(path: str, value: object) -> list[str]:
    """Each key, and whether it is null; values and lengths are left out, and which of them one event has together: that is timing, too."""
    if isinstance(value, dict):
        return [path + "{}", *(one for key, each in value.items() for one in form(f"{path}.{key}", each))]
    if isinstance(value, list):
        return [one for each in value for one in form(path + "[]", each)]
    return [path + (" null" if value is None else " value")]


def plain(url: str, body: str | None = None) -> list:
    """Status, text and headers of a request that no library of OpenAI makes."""
    data = None if body is None else body.encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return [answer.status, answer.read().decode(), headers(answer.headers)]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode(), headers(error.headers)]


def headers(all_headers) -> list:
    return sorted([name, value] for name, value in all_headers.items() if name.lower() != "date")


def without_own(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_own(each) for key, each in value.items() if key not in OWN}
    return [without_own(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
