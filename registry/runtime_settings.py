"""How a model runs: the fields of a registration that become the engine's configuration."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from llmsite.config_models import (
    DEFAULT_DRAFT,
    DEFAULT_STEP_MS,
    FLASH_ATTENTION,
    KV_LAYOUTS,
    KV_TYPES,
    MAX_BATCH,
    MAX_DRAFT,
    MAX_GPUS,
    MAX_INTEGER,
    MAX_PARALLEL,
    MAX_STEP_MS,
    MAX_THREADS,
    MIN_BATCH,
    MIN_CONTEXT,
    MIN_STEP_MS,
    SPECULATION,
    SPLIT_MODES,
    tensor_split_of,
)
from registry.validators import validate_tensor_split

YES_OR_NO = [(None, _("automatic")), (True, _("yes")), (False, _("no"))]
FULL_PRECISION = ("f16", "bf16", "f32")


def _range(low: int, high: int) -> list:
    return [MinValueValidator(low), MaxValueValidator(high)]


def _choices(words: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(word, word) for word in words]


class RuntimeSettings(models.Model):
    """The settings that an engine is loaded with; to change one reloads the model."""

    ctx_size = models.PositiveIntegerField(
        _("context size"),
        null=True,
        blank=True,
        validators=_range(MIN_CONTEXT, MAX_INTEGER),
        help_text=_(
            "Tokens that one conversation, or one text to embed, may use. "
            "Empty: what the model was trained for, up to 8192, and 2048 for diffusion models."
        ),
    )
    parallel = models.PositiveIntegerField(
        _("parallel requests"),
        default=4,
        validators=_range(1, MAX_PARALLEL),
        help_text=_(
            "How many requests a chat model answers at the same time; further ones wait. "
            "Embedding and rerank models compute all that wait together."
        ),
    )

    kv_layout = models.CharField(
        _("KV layout"),
        max_length=16,
        choices=_choices(KV_LAYOUTS),
        default="auto",
        help_text=_(
            "Partitioned gives every request room for a whole context, which computes fastest. Unified lets all share "
            "the cells below, so that long contexts need not be reserved for every request. "
            "Auto: partitioned where the cells suffice for it."
        ),
    )
    kv_cells = models.PositiveIntegerField(
        _("KV cells"),
        null=True,
        blank=True,
        validators=_range(MIN_CONTEXT, MAX_INTEGER),
        help_text=_(
            "Tokens that the KV cache holds for all requests together. Empty: parallel requests × context size. "
            "Set fewer where memory is short and conversations are seldom as long as the context allows."
        ),
    )
    kv_type_k = models.CharField(
        _("KV type of K"),
        max_length=8,
        choices=_choices(KV_TYPES),
        default="f16",
        help_text=_("q8_0 halves the cache's memory at hardly any loss; the 4-bit types quarter it and cost quality."),
    )
    kv_type_v = models.CharField(
        _("KV type of V"),
        max_length=8,
        choices=_choices(KV_TYPES),
        default="f16",
        help_text=_("As above. A quantized type needs flash attention, which “auto” then switches on."),
    )
    host_cache_mb = models.PositiveIntegerField(
        _("host cache"),
        null=True,
        blank=True,
        validators=_range(0, MAX_INTEGER),
        help_text=_(
            "MiB of main memory for conversations that lost their place in the KV cache, so that they are not computed "
            "anew. Empty: one eighth of the machine's memory, at most 8192. 0: none."
        ),
    )
    use_mmap = models.BooleanField(
        _("map the file"),
        null=True,
        blank=True,
        default=None,
        choices=YES_OR_NO,
        help_text=_(
            "Whether the weights stay in the mapped file, which processes share, or are copied into memory of the "
            "engine's own. Automatic: copied where a CPU computes and the system has huge pages, which make it faster."
        ),
    )
    use_mlock = models.BooleanField(
        _("lock in memory"),
        default=False,
        help_text=_(
            "Keep the system from swapping the model out. Where its limit (ulimit -l) forbids that, "
            "the log has a warning and the model runs unlocked."
        ),
    )

    threads = models.PositiveIntegerField(
        _("threads"),
        null=True,
        blank=True,
        validators=_range(1, MAX_THREADS),
        help_text=_("CPU threads that generate. Empty: chosen from the number of cores."),
    )
    threads_batch = models.PositiveIntegerField(
        _("prompt threads"),
        null=True,
        blank=True,
        validators=_range(1, MAX_THREADS),
        help_text=_("CPU threads that compute prompts. Empty: all cores. Set fewer where other programs need some."),
    )
    n_batch = models.PositiveIntegerField(
        _("batch size"),
        null=True,
        blank=True,
        validators=_range(MIN_BATCH, MAX_BATCH),
        help_text=_("Most tokens of one step. Empty: 1024, on a GPU 2048, and 512 for embedding and rerank models."),
    )
    n_ubatch = models.PositiveIntegerField(
        _("physical batch size"),
        null=True,
        blank=True,
        validators=_range(MIN_BATCH, MAX_BATCH),
        help_text=_(
            "Tokens that a chat model computes at once within a step; fewer take less memory. "
            "Empty: 512, or 256 where a CPU computes without flash attention."
        ),
    )
    flash_attention = models.CharField(
        _("flash attention"),
        max_length=8,
        choices=_choices(FLASH_ATTENTION),
        default="auto",
        help_text=_(
            "Auto: on GPUs that have it, on a CPU only where attention would take too much memory without it. On a "
            "CPU, on is quicker for texts of a few hundred tokens, off for longer ones."
        ),
    )
    step_target_ms = models.PositiveIntegerField(
        _("step target"),
        default=DEFAULT_STEP_MS,
        validators=_range(MIN_STEP_MS, MAX_STEP_MS),
        help_text=_(
            "Milliseconds. While answers are being generated, a step computes only as much of other prompts as fits "
            "into this time, and up to five times as much where the answers take a large part of it. Less makes "
            "answers flow more evenly, more lets new requests begin sooner."
        ),
    )

    gpu_layers = models.IntegerField(
        _("GPU layers"),
        default=-1,
        validators=_range(-1, MAX_INTEGER),
        help_text=_("How many layers go to the GPU: -1 for all of them, 0 for none."),
    )
    split_mode = models.CharField(
        _("split mode"),
        max_length=8,
        choices=_choices(SPLIT_MODES),
        default="layer",
        help_text=_("With several GPUs: whole layers on each, rows of every matrix on each, or all on the main GPU."),
    )
    tensor_split = models.CharField(
        _("tensor split"),
        max_length=256,
        blank=True,
        validators=[validate_tensor_split],
        help_text=_("The share of each GPU, as in 3,1. Empty: by their free memory."),
    )
    main_gpu = models.PositiveIntegerField(
        _("main GPU"),
        default=0,
        validators=_range(0, MAX_GPUS - 1),
        help_text=_("The number of the GPU that computes all where nothing is split, from 0."),
    )
    cpu_moe_layers = models.IntegerField(
        _("experts on the CPU"),
        default=0,
        validators=_range(-1, MAX_INTEGER),
        help_text=_(
            "Of mixture-of-experts models: the number of layers, from the first, whose experts stay in main memory; "
            "-1 for all. Raise it until the rest fits the GPU."
        ),
    )

    speculation = models.CharField(
        _("speculation"),
        max_length=8,
        choices=_choices(SPECULATION),
        default="auto",
        help_text=_(
            "Guess several tokens and check them in one step; the answers stay the same. "
            "Auto: with the draft model, or without one from the text so far. Off: token by token."
        ),
    )
    draft_model = models.CharField(
        _("draft model"),
        max_length=1024,
        blank=True,
        help_text=_(
            "Path of a much smaller GGUF model with the same vocabulary, whose guesses the model checks. "
            "Pays on a GPU; it takes memory of its own."
        ),
    )
    draft_max = models.PositiveIntegerField(
        _("draft length"),
        default=DEFAULT_DRAFT,
        validators=_range(1, MAX_DRAFT),
        help_text=_("Most tokens that are guessed at a time. More pay where answers repeat much of the prompt."),
    )

    class Meta:
        abstract = True

    @property
    def tensor_shares(self) -> tuple[float, ...]:
        """The numbers of the tensor split."""
        return tensor_split_of(self.tensor_split)

    def check_settings(self, context_length: int) -> None:
        """Refuse what llama.cpp refuses in combination; raise ValidationError, naming the fields."""
        errors = {**self._flash_attention_problem(), **self._batch_problem(), **self._cells_problem(context_length)}
        if errors:
            raise ValidationError(errors)

    def _flash_attention_problem(self) -> dict[str, ValidationError]:
        if self.kv_type_v in FULL_PRECISION or self.flash_attention != "off":
            return {}
        reason = _("%(type)s needs flash attention: set it to auto or on, or choose f16, bf16 or f32 here.")
        return {"kv_type_v": _error(reason, "needs_flash_attention", type=self.kv_type_v)}

    def _batch_problem(self) -> dict[str, ValidationError]:
        problems = {}
        if self.n_batch and self.n_ubatch and self.n_ubatch > self.n_batch:
            reason = _("%(given)d is more than the batch size of %(limit)d.")
            problems["n_ubatch"] = _error(reason, "over_batch_size", given=self.n_ubatch, limit=self.n_batch)
        if self.n_batch and self.parallel and self.n_batch < self.parallel:
            reason = _("%(given)d is too small for %(parallel)d parallel requests: a step computes a token of each.")
            problems["n_batch"] = _error(reason, "below_parallel", given=self.n_batch, parallel=self.parallel)
        return problems

    def _cells_problem(self, context: int) -> dict[str, ValidationError]:
        """Hold the cells against what the requests need, so that no context is cut in silence."""
        if not self.kv_cells or not self.parallel:
            return {}
        needed = self.parallel * context
        params = {"cells": self.kv_cells, "parallel": self.parallel, "context": context, "needed": needed}
        if self.kv_cells < context:
            reason = _("%(cells)d cells cannot hold one conversation of %(context)d tokens; give at least as many.")
            return {"kv_cells": _error(reason, "below_context", **params)}
        if self.kv_layout == "partitioned" and self.kv_cells < needed:
            reason = _(
                "%(cells)d cells are too few for the partitioned layout, which needs %(parallel)d × %(context)d = "
                "%(needed)d: leave this empty, or choose the layout auto or unified."
            )
            return {"kv_cells": _error(reason, "below_partitions", **params)}
        if self.kv_layout != "unified" and self.kv_cells > needed:
            reason = _(
                "%(cells)d cells are more than the %(parallel)d × %(context)d = %(needed)d that a partitioned cache "
                "uses: leave this empty, or choose the unified layout."
            )
            return {"kv_cells": _error(reason, "over_partitions", **params)}
        return {}


def _error(reason: str, code: str, **params: object) -> ValidationError:
    return ValidationError(reason, code=code, params=params)
