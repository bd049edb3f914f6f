"""Goldens of chats and pairs: what `transformers` makes of messages under the published chat templates, and what
microsoft/LoRA's scripts make of a line of E2E.

    pip install -r tools/goldens/requirements.txt
    python tools/goldens/chats.py [--out DIR]     # tests/golden/chats

`tokenizer.json` is a small byte-level BPE with the pattern of Qwen2's and the special tokens of every layout.
`chats.json` holds for each layout and chat the text, the ids, those with the generation prompt, and which tokens are
the assistant's (`return_assistant_tokens_mask`); `lines` what microsoft/LoRA's arrays are. The templates below say what
the published ones say, with `{% generation %}` around what is trained: a turn's text and the token that ends it.
"""

import argparse
import json
import pathlib
import sys

sys.path.pop(0)  # tokenizers.py stands beside this file
import tokenizers
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/chats"

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|start_header_id|>",
           "<|end_header_id|>", "<|eot_id|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>"]

PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")

CHATML = """{%- for message in messages %}
{%- if loop.first and message.role != 'system' and SYSTEM %}<|im_start|>system
{{ SYSTEM }}<|im_end|>
{% endif %}
{%- if message.role == 'assistant' %}{{ '<|im_start|>assistant\\n' }}
{%- generation %}{{ message.content + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}
{%- else %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

LLAMA3 = """{{- '<|begin_of_text|>' }}
{%- for message in messages %}
{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}
{%- if message.role == 'assistant' %}
{%- generation %}{{ message.content | trim + '<|eot_id|>' }}{% endgeneration %}
{%- else %}{{ message.content | trim + '<|eot_id|>' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"""

# The published one has a fourth part, for tools. What ends a turn is the token of the next, which no block can
# hold: the mask is that of the text, and of its line feed, which the model writes.
GLM4 = """{{- '[gMASK]<sop>' }}
{%- for message in messages %}{{- '<|' + message.role + '|>' }}
{%- if message.role == 'assistant' %}
{%- generation %}{{ '\\n' + message.content }}{% endgeneration %}
{%- else %}{{ '\\n' + message.content }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"""


def chatml(system):
    return CHATML.replace("SYSTEM", json.dumps(system))


TEMPLATES = {
    "chatml": chatml(""),
    "qwen2": chatml("You are a helpful assistant."),
    "qwen2.5": chatml("You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
    "llama3": LLAMA3,
    "glm4": GLM4,
}


def turn(role, content):
    return {"role": role, "content": content}


CHATS = [
    [turn("user", "Hello there"), turn("assistant", "Hi! How are you?")],
    [turn("system", "Be brief."), turn("user", "2 + 2 = ?"), turn("assistant", "4"), turn("user", "And 3 + 3?"),
     turn("assistant", "6.\n\nThat is all.")],
    [turn("user", "你好，世界"), turn("assistant", "您好！😀 fine"), turn("user", "code:\n\tx = 1\n"),
     turn("assistant", "ok\n")],
    [turn("user", " spaced "), turn("assistant", "  indented\n  twice"), turn("assistant", "again")],
    [turn("user", "naïve café"), turn("assistant", "\nbegins with a line feed")],
]

TEXT = ["Hello there, how are you? I am fine, thanks. That is all.", "system user assistant",
        "You are a helpful assistant. Be brief.", "name : Blue Spice | Type : coffee shop | area : city centre",
        "A coffee shop in the city centre called Blue Spice . begins with a line feed, indented twice, again and again",
        "One\n\nTwo\n\nThree\n\n",
        "Below is an instruction that describes a task. Write a response that appropriately completes the request."]

LINES = ["name : Blue Spice | Type : coffee shop | area : city centre||A coffee shop in the city centre called Blue Spice .",
         " name : Alimentum || Alimentum is here . "]


def tokenizer(out):
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(TEXT * 4, trainers.BpeTrainer(
        vocab_size=420, min_frequency=2, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|endoftext|>", bos_token="<|endoftext|>",
                                                clean_up_tokenization_spaces=False)
    bpe.save(str(out / "tokenizer.json"))
    return fast


def chat_golden(fast, layout, messages):
    fast.chat_template = TEMPLATES[layout]
    ids = fast.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    asked = messages[:-1]
    return {
        "layout": layout,
        "messages": messages,
        "text": fast.apply_chat_template(messages, tokenize=False),
        "ids": ids["input_ids"],
        "assistant": ids["assistant_masks"],
        "prompt_ids": fast.apply_chat_template(asked, add_generation_prompt=True, return_dict=True)["input_ids"],
    }


def line_golden(fast, line):
    """format_converting_e2e.py, gpt2_encode.py --add_bos --add_eos, data_utils.py: FT_Dataset without padding."""
    items = line.strip().split("||")
    end = [fast.eos_token_id]
    context = fast.encode(items[0]) + end
    completion = fast.encode(" " + items[1].strip("\n")) + end
    conditional = context + completion
    mask = [0.0] * (len(context) - 1) + [1.0] * (len(conditional) - len(context))
    return {"line": line, "input": conditional[:-1], "target": conditional[1:], "mask": mask}


def to_lines(golden):
    """JSON with one chat or line of E2E a line."""
    def text(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    members = [f'"{key}":' + (text(value) if isinstance(value, str) else "[\n" + ",\n".join(map(text, value)) + "]")
               for key, value in golden.items()]
    return "{" + ",\n".join(members) + "}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    fast = tokenizer(out)
    golden = {
        "generator": f"tools/goldens/chats.py, transformers {transformers.__version__}, tokenizers {tokenizers.__version__}",
        "chats": [chat_golden(fast, layout, chat) for layout in TEMPLATES for chat in CHATS],
        "lines": [line_golden(fast, line) for line in LINES],
    }
    (out / "chats.json").write_text(to_lines(golden), encoding="utf-8")
    (out / "tokenizer_config.json").write_text(
        json.dumps({"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}, indent=2) + "\n")


if __name__ == "__main__":
    main()
