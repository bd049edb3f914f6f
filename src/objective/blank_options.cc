#include "objective/blank_options.h"

#include "objective/requirements.h"

namespace surprisal {
namespace {

const Choices kPresets{"glm", "glm-10b", "glm-130b"};
const Choices kMasks{"[MASK]", "[sMASK]", "[gMASK]"};

// GLM 10B's first stage (sequences of 512).
BlankInfillingOptions glm_10b() {
  BlankInfillingOptions options;
  options.level = "0.5 token | 0.3 sentence | 0.2 document";
  options.level_per = "micro_batch";
  options.document_min_ratio = 0.25;
  options.noise = 0.1;
  options.short_sequence = 0.02;
  return options;
}

// GLM-130B: rows of 2000 tokens in sequences of 2048; four times 500 for [MASK].
BlankInfillingOptions glm_130b() {
  BlankInfillingOptions options;
  options.level = "0.3 token | 0.7 document";
  options.single_span = 0.02;
  options.document_min_ratio = 0.2;
  options.suffix = 1;
  options.position = "repeat";
  options.document_position = "continue";
  options.text_length = 2000;
  options.parts = 4;
  options.short_sequence = 0.02;
  options.special_tokens = false;
  options.whole_sentences = false;
  return options;
}

}  // namespace

BlankInfillingOptions BlankInfillingOptions::with_preset(const std::string& name) {
  BlankInfillingOptions options;  // as GLM's base and large models were trained
  if (name == "glm-10b") {
    options = glm_10b();
  } else if (name == "glm-130b") {
    options = glm_130b();
  } else if (name != "glm") {
    require_choice("objective.blank_infilling.preset", name, {"glm", "glm-10b", "glm-130b"});
  }
  options.preset = name;
  return options;
}

void BlankInfillingOptions::visit(OptionVisitor& visitor) {
  const std::string before = preset;
  Choices presets{""};
  presets.insert(presets.end(), kPresets.begin(), kPresets.end());
  visitor.field("preset", preset, presets,
                "sets the keys below as a published model had them; those given override it");
  if (preset != before && !preset.empty()) *this = with_preset(preset);
  visitor.field(
      "level", level, {},
      "token, sentence, document, or a mix: \"0.4 token | 0.3 sentence | 0.3 document\", shares of text");
  visitor.field("level_per", level_per, {"sequence", "micro_batch"},
                "micro_batch: the sequences of a micro-batch have one level");
  visitor.field("mask_ratio", mask_ratio, {0, 1, true},
                "of a sequence's tokens at levels token and sentence");
  visitor.field("poisson_lambda", poisson_lambda, {0, 1e6, true},
                "of a span's length at level token; no span is empty");
  visitor.field("max_span", max_span, {1, 1 << 20}, "where that distribution is cut off");
  visitor.field("gap", gap, {0, 1 << 20}, "fewest tokens between two spans at level token");
  visitor.field("single_span", single_span, {0, 1}, "probability of a single span at level token");
  visitor.field("shuffle", shuffle, "pieces in any order, all alike; off: from left to right");
  visitor.field("document_min_ratio", document_min_ratio, {0, 1},
                "least share of a sequence that is blank at level document");
  visitor.field("document_max_ratio", document_max_ratio, {0, 1, true}, "... and largest");
  visitor.field("suffix", suffix, {0, 1},
                "probability of that blank to be the sequence's end, not within it");
  visitor.field("token_mask", token_mask, kMasks, "what stands for a span");
  visitor.field("sentence_mask", sentence_mask, kMasks, "... for a sentence");
  visitor.field("document_mask", document_mask, kMasks, "... at level document");
  visitor.field("end_of_piece", end_of_piece, "a piece ends with the end-of-piece token");
  visitor.field("suffix_end_of_piece", suffix_end_of_piece, "... where it is the sequence's end");
  visitor.field("position", position, {"two_dimensional", "repeat", "continue"},
                "of a piece's rows: its mask's and a block position, its mask's alone, or counted on");
  visitor.field("document_position", document_position,
                {"as_position", "two_dimensional", "repeat", "continue"}, "... at level document");
  visitor.field("noise", noise, {0, 1},
                "probability of a piece's token to be hidden as input at level token");
  visitor.field("noise_token", noise_token, {}, "... by this token");
  visitor.field("text_length", text_length, {0, std::int64_t{1} << 30},
                "most tokens of text in a sequence, special ones included; 0: data.sequence_length");
  visitor.field("parts", parts, {1, 1 << 20},
                "levels token and sentence: how many times shorter their sequences are");
  visitor.field("short_sequence", short_sequence, {0, 1},
                "probability of shorter sequences for a document's pass");
  visitor.field("special_tokens", special_tokens, "those that the tokenizer puts around a text");
  visitor.field("whole_sentences", whole_sentences,
                "a sequence ends with a sentence where that leaves at least half of it");
  visitor.field("compatible", compatible,
                "rows beyond data.sequence_length are cut off, as in GLM-130B's own training");
}

}  // namespace surprisal
