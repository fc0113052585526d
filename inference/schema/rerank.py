"""`/v1/rerank`."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from inference.schema.base import NOT_FOUND, UNAVAILABLE, error, example
from inference.schema.embeddings import PromptUsageSerializer
from inference.serializers.rerank import RerankRequestSerializer


class DocumentSerializer(serializers.Serializer):
    text = serializers.CharField()


class RankedSerializer(serializers.Serializer):
    index = serializers.IntegerField(help_text="The document's place in the request.")
    relevance_score = serializers.FloatField(
        min_value=0,
        max_value=1,
        help_text='The sigmoid of the model\'s logit; the probability of "yes" from models that judge with yes and no.',
    )
    document = DocumentSerializer(required=False, help_text="Where `return_documents` asks for it.")


class RankingSerializer(serializers.Serializer):
    model = serializers.CharField()
    object = serializers.CharField()
    usage = PromptUsageSerializer()
    results = RankedSerializer(many=True, help_text="The most relevant document first.")


RANKING_EXAMPLE = {
    "model": "reranker",
    "object": "list",
    "usage": {"prompt_tokens": 40, "total_tokens": 40},
    "results": [{"index": 1, "relevance_score": 0.97}, {"index": 0, "relevance_score": 0.02}],
}
QUERY = {
    "model": "reranker",
    "query": "What is the capital of France?",
    "documents": ["It rains in Berlin.", "Paris is the capital of France."],
}
TOO_LONG = error(
    "Invalid request, or a model of another kind",
    "Invalid `documents`: document 3 and the query have 700 tokens, this model takes at most 512.",
    "invalid_request_error",
    "documents",
    None,
)
rerank_schema = extend_schema(
    operation_id="rerank",
    tags=["embeddings"],
    request={"application/json": RerankRequestSerializer},
    responses={
        200: OpenApiResponse(RankingSerializer, "The ranking", [example("Ranking", RANKING_EXAMPLE)]),
        400: TOO_LONG,
        404: NOT_FOUND,
        503: UNAVAILABLE,
    },
    examples=[
        example("Question", QUERY, request_only=True),
        example("The best one only", {**QUERY, "top_n": 1, "return_documents": True}, request_only=True),
    ],
)
