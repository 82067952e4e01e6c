"""Retrieval: search by words and by meaning, name the documents, ask the model with what was found.

The search is a function of its own, as projects share it between handlers. All documents go by one number.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from handlers import BaseTaskHandler
from handlers.events import BaseEvent, CitationEvent, ContentEvent, DocumentEvent, ResponseEndEvent, StatusEvent
from tests.samples.asking import text_in

INDEX = "pages"
EMBEDDING_MODEL = "amazon.titan-embed-text-v2:0"
DIMENSIONS = 256
NOTHING_FOUND = "The pages say nothing about that."


@dataclass(frozen=True)
class Wanted:
    """What to look for: by words, and by meaning where there is a model to embed it."""

    words: list[str]
    meaning: str = ""
    most: int = 5


@dataclass(frozen=True)
class Page:
    """A page that was found."""

    id: str
    title: str
    url: str
    text: str


@dataclass
class Found:
    """Pages, the best first; each once."""

    pages: list[Page] = field(default_factory=list)

    def as_prompt(self) -> str:
        """The pages as the model is given them."""
        return "\n\n".join(f"[{number}] {page.title}\n{page.text}" for number, page in enumerate(self.pages, 1))


async def find_pages(opensearch: Any, bedrock: Any | None, wanted: Wanted) -> Found:
    """Search by words, and by meaning where Bedrock is there; pages that several searches found come first."""
    search = await opensearch.get_async_client()
    queries: list[dict[str, Any]] = [
        {"multi_match": {"query": words, "fields": ["title", "text"]}} for words in wanted.words
    ]
    if bedrock is not None and wanted.meaning:
        vector = await embed(bedrock, wanted.meaning)
        queries.append({"knn": {"embedding": {"vector": vector, "k": wanted.most}}})
    bodies = [{"query": query, "size": wanted.most, "_source": {"excludes": ["embedding"]}} for query in queries]
    answers = await asyncio.gather(*(search.search(index=INDEX, body=body) for body in bodies))
    return Found(_fused(answers, wanted.most))


async def embed(bedrock: Any, text: str) -> list[float]:
    """The text's vector. The call blocks, so it is made in a thread of the client's."""
    body = json.dumps({"inputText": text, "dimensions": DIMENSIONS, "normalize": True})
    response = await bedrock.call("invoke_model", modelId=EMBEDDING_MODEL, body=body)
    vector: list[float] = json.loads(response["body"].read())["embedding"]
    return vector


def _fused(answers: list[dict[str, Any]], most: int) -> list[Page]:
    """By reciprocal rank."""
    scores: dict[str, float] = {}
    sources: dict[str, dict[str, Any]] = {}
    for answer in answers:
        for rank, hit in enumerate(answer["hits"]["hits"], 1):
            scores[hit["_id"]] = scores.get(hit["_id"], 0.0) + 1 / (60 + rank)
            sources[hit["_id"]] = hit["_source"]
    best = sorted(scores, key=lambda identity: -scores[identity])[:most]
    return [
        Page(identity, sources[identity]["title"], sources[identity].get("url", ""), sources[identity]["text"])
        for identity in best
    ]


class PageReader(BaseTaskHandler):
    """Needs OpenSearch; without Bedrock it shows what it found."""

    name = "page_reader"
    description = "Answers from the team's pages."

    def __init__(self, opensearch_client: Any, bedrock_runtime_client: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._opensearch = opensearch_client
        self._bedrock = bedrock_runtime_client

    async def handle(self, **kwargs: Any) -> AsyncGenerator[BaseEvent, None]:
        response_id, asked = kwargs["response_message_id"], text_in(kwargs["user_message"])
        yield StatusEvent(response_id=response_id, message="Searching…", sequence=0, persist=False)
        found = await find_pages(self._opensearch, self._bedrock, Wanted(words=[asked], meaning=asked, most=3))
        for page in found.pages:
            yield DocumentEvent(
                response_id=response_id, document_id=page.id, title=page.title, pointer=page.url, sequence=1
            )
        yield StatusEvent(response_id=response_id, message="Answering…", sequence=2, persist=False)
        answer = await self._answer(kwargs["model_id"], asked, found)
        yield ContentEvent(response_id=response_id, content=answer, sequence=3)
        for number, page in enumerate(found.pages, 1):
            yield CitationEvent(
                response_id=response_id, document_id=page.id, text=page.text, reference_number=number, sequence=3
            )
        yield ResponseEndEvent(response_id=response_id, status="completed", sequence=4)

    async def _answer(self, model_id: str, asked: str, found: Found) -> str:
        if not found.pages:
            return NOTHING_FOUND
        if self._bedrock is None:
            return "I found these pages: " + ", ".join(page.title for page in found.pages)
        # The question comes last: models heed best what they read last.
        content = [{"text": f"Answer from these pages:\n\n{found.as_prompt()}"}, {"text": asked}]
        answer = await self._bedrock.call("converse", modelId=model_id, messages=[{"role": "user", "content": content}])
        return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])
