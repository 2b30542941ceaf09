"""The network: Whisper's own architecture, small, and its way into CTranslate2."""

from __future__ import annotations

import json
from pathlib import Path

import ctranslate2
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

WINDOW_S = 30
FRAMES = WINDOW_S * 50
ALIGNMENT_HEADS = [[1, 0], [2, 0]]
TIME_SCALE = 0.1


def build(tokenizer: Tokenizer) -> WhisperForConditionalGeneration:
    """A fresh network for this tokenizer."""
    end = tokenizer.token_to_id("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        num_mel_bins=80,
        d_model=192,
        encoder_layers=3,
        decoder_layers=3,
        encoder_attention_heads=3,
        decoder_attention_heads=3,
        encoder_ffn_dim=768,
        decoder_ffn_dim=768,
        max_source_positions=FRAMES,
        max_target_positions=448,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        dropout=0.0,
    )
    config._attn_implementation = "eager"
    whisper = WhisperForConditionalGeneration(config)
    whisper.tie_weights()
    first = tokenizer.token_to_id("<|0.00|>")
    if first is None:
        raise ValueError("the tokenizer has no time marks: make it with models.recogniser.training.tokens")
    _place_times(whisper, first)
    return whisper


def _place_times(whisper: WhisperForConditionalGeneration, first: int) -> None:
    """Give every time mark the place of its frame in the sound, which the encoder adds to what it hears.

    What the decoder then has to learn for a time mark is to hand on the place of the frame that it looks at.
    """
    places = whisper.model.encoder.embed_positions.weight
    with torch.no_grad():
        marks = whisper.model.decoder.embed_tokens.weight[first:]
        marks[: len(places)] = TIME_SCALE * places[: len(marks)]


class Trainee(nn.Module):  # type: ignore[misc]  # torch has no types here
    """The network with a phoneme classifier on its encoder, which training needs and the product does not."""

    def __init__(self, whisper: WhisperForConditionalGeneration, phonemes: int) -> None:
        super().__init__()
        self.whisper = whisper
        self.phonemes = nn.Linear(whisper.config.d_model, phonemes)

    def encode(self, mel: torch.Tensor) -> torch.Tensor:
        """Encode windows (batch, 80, frames of 10 ms) that may be shorter than thirty seconds."""
        encoder = self.whisper.model.encoder
        hidden = nn.functional.gelu(encoder.conv1(mel))
        hidden = nn.functional.gelu(encoder.conv2(hidden)).transpose(1, 2)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        for layer in encoder.layers:
            out = layer(hidden, None)
            hidden = out[0] if isinstance(out, tuple) else out
        whole: torch.Tensor = encoder.layer_norm(hidden)
        return whole

    def forward(
        self, mel: torch.Tensor, tokens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor, ...]]:
        """Logits of the next token, what the encoder heard, cross-attention of each decoder layer."""
        heard = self.encode(mel)
        out = self.whisper.model.decoder(
            input_ids=tokens,
            encoder_hidden_states=heard,
            output_attentions=True,
            use_cache=False,
            return_dict=True,
        )
        logits = self.whisper.proj_out(out.last_hidden_state)
        return logits, heard, out.cross_attentions

    def named(self, heard: torch.Tensor, texts: int) -> torch.Tensor:
        """Which of the first `texts` tokens each of these frames (count, width) would be written as.

        Said by the very head of the last layer that is told to look at the word being written: what it sees there must
        be enough to name the word. That is a lesson for every frame of sound instead of one a word.
        """
        return nn.functional.linear(self._told(heard, 0), self.whisper.proj_out.weight[:texts])

    def placed(self, heard: torch.Tensor, first: int, head: int) -> torch.Tensor:
        """Which time mark each of these frames would be written as, by the last layer's `head`, in the same way."""
        return nn.functional.linear(self._told(heard, head), self.whisper.proj_out.weight[first:])

    def _told(self, heard: torch.Tensor, head: int) -> torch.Tensor:
        decoder = self.whisper.model.decoder
        seeing = decoder.layers[-1].encoder_attn
        own = slice(head * seeing.head_dim, (head + 1) * seeing.head_dim)
        seen = nn.functional.linear(heard, seeing.v_proj.weight[own], seeing.v_proj.bias[own])
        told: torch.Tensor = nn.functional.linear(seen, seeing.out_proj.weight[:, own], seeing.out_proj.bias)
        return decoder.layer_norm(told)


def export(whisper: WhisperForConditionalGeneration, tokenizer: Tokenizer, work: Path, target: Path) -> None:
    """Write the model as faster-whisper reads it: CTranslate2, int8."""
    end = tokenizer.token_to_id("<|endoftext|>")
    space = tokenizer.token_to_id("Ġ")
    languages = {
        token: number
        for token, number in tokenizer.get_vocab().items()
        if token.startswith("<|") and 2 <= len(token) - 4 <= 3 and token[2:-2].isalpha()
    }
    generation = GenerationConfig(
        suppress_tokens=[],
        begin_suppress_tokens=[space, end],
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
    )
    for key, value in {
        "lang_to_id": languages,
        "task_to_id": {"transcribe": tokenizer.token_to_id("<|transcribe|>")},
        "no_timestamps_token_id": tokenizer.token_to_id("<|notimestamps|>"),
        "is_multilingual": True,
        "alignment_heads": ALIGNMENT_HEADS,
    }.items():
        setattr(generation, key, value)
    whisper.generation_config = generation
    work.mkdir(parents=True, exist_ok=True)
    whisper.save_pretrained(work)
    generation.save_pretrained(work)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|endoftext|>",
        bos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
    )
    fast.save_pretrained(work)
    tokenizer.save(str(work / "tokenizer.json"))
    (work / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "feature_extractor_type": "WhisperFeatureExtractor",
                "feature_size": 80,
                "sampling_rate": 16000,
                "hop_length": 160,
                "chunk_length": WINDOW_S,
                "n_fft": 400,
            },
            indent=1,
        )
    )
    converter = ctranslate2.converters.TransformersConverter(
        str(work), copy_files=["tokenizer.json", "preprocessor_config.json"]
    )
    converter.convert(str(target), quantization="int8", force=True)
