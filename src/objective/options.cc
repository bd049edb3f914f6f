#include "objective/options.h"

#include "text/corpus/chat_layout.h"

namespace surprisal {

void MlmOptions::visit(OptionVisitor& visitor) {
  visitor.field("probability", probability, {0, 1, true}, "of a token to be predicted");
  visitor.field("final_probability", final_probability, {-1, 1},
                "... at the last step, reached in a line from the first; -1: unchanged");
  visitor.field("mask", mask, {0, 1}, "probability of a predicted token to be replaced by the mask token");
  visitor.field("final_mask", final_mask, {-1, 1}, "... at the last step; -1: unchanged");
  visitor.field("random", random, {0, 1}, "... by a random token; the rest is kept");
  visitor.field("final_random", final_random, {-1, 1}, "... at the last step; -1: unchanged");
  visitor.field("unit", unit, {"token", "word", "span"},
                "what is drawn as one: a token, a whole word, or a span of words as in SpanBERT");
  visitor.field(
      "count", count, {"fixed", "bernoulli"},
      "fixed: max(1, round(probability * length)) tokens; bernoulli: each unit alone, at least one");
  visitor.field("span_probability", span_probability, {0, 1, true},
                "p of the geometric distribution of a span's length in words");
  visitor.field("span_max_words", span_max_words, {1, 1000}, "where that distribution is cut off");
}

void NspOptions::visit(OptionVisitor& visitor) {
  visitor.field("random_next", random_next, {0, 1}, "probability of a random B where a true one exists");
  visitor.field("short_sequence", short_sequence, {0, 1},
                "probability of a shorter target length for a document's pass");
}

void SopOptions::visit(OptionVisitor& visitor) {
  visitor.field("swap", swap, {0, 1}, "probability of the two segments to change places");
  visitor.field("short_sequence", short_sequence, {0, 1},
                "probability of a shorter target length for a document's pass");
}

void ConditionalOptions::visit(OptionVisitor& visitor) {
  visitor.field(
      "layout", layout, {"auto", "decoder", "glm"},
      "glm: prompt and mask, which see one another, then the completion as a piece; auto: glm where "
      "the tokenizer has a start-of-piece token");
  visitor.field(
      "chat", chat, chat_layout_choices(),
      "how messages become one text; auto: the layout whose special tokens the tokenizer has, where "
      "it is one");
  visitor.field("turns", turns, {"all", "last"}, "of the assistant in a chat that are targets");
  visitor.field(
      "tokenise", tokenise, {"separately", "jointly"},
      "prompt and completion; jointly: a token is a target where its text begins in the completion");
  visitor.field(
      "too_long", too_long, {"auto", "keep_start", "keep_end", "drop", "error"},
      "what becomes of a pair longer than a sequence: its prompt keeps its start or its end, it is left "
      "out, or it ends the run; auto: keep_start, of chats keep_end");
  visitor.field(
      "begin_of_text", begin_of_text, {"auto", "before", "between", "none"},
      "of a pair of texts: before the prompt or between it and the completion; auto: before, in lines "
      "context||completion between");
  visitor.field("completion_blank", completion_blank, {"auto", "always", "never"},
                "whether a blank is put before a completion; auto: in lines context||completion");
  visitor.field("prefix_lm", prefix_lm, "layout decoder: rows before the first target see one another");
  visitor.field("mask", mask, {"[MASK]", "[sMASK]", "[gMASK]"},
                "of layout glm: what stands for the completion where the prompt has no mask");
  visitor.field(
      "position", position, {"as_blank_infilling", "two_dimensional", "repeat", "continue"},
      "of layout glm: of the completion's rows, as objective.blank_infilling has them at level document");
}

void ClozeOptions::visit(OptionVisitor& visitor) {
  visitor.field(
      "pattern", pattern, {},
      "the text with its mask, of fields of a record: \"{text} It was [MASK].\"; empty: data.field is it");
  visitor.field(
      "verbalizer", verbalizer,
      "\"LABEL = OPTION\" of each: what records without options choose among, and what label means");
  visitor.field(
      "form", form, {"auto", "single_token", "multi_token"},
      "single_token: options are told apart by one row's logits; multi_token: each is a sequence, its "
      "end predicted too; auto: the first where all options of a record are one token");
  visitor.field("length_penalty", length_penalty, {0, 10},
                "an option's surprisal is divided by its number of targets to this power");
  visitor.field("position", position, {"as_blank_infilling", "two_dimensional", "repeat", "continue"},
                "of an option's rows, as objective.blank_infilling.position has it");
  visitor.field("end_of_text", end_of_text,
                "what the tokenizer puts behind a text stands behind it before a piece too");
}

void LabelledOptions::visit_labels(OptionVisitor& visitor) {
  visitor.field("labels", labels,
                "names of the classes in the order of their numbers; empty: the model's, where it is such a "
                "classifier, else those of data.train");
}

void LabelledOptions::visit_words(OptionVisitor& visitor) {
  visitor.field("words_field", words_field, {}, "field of a record that holds a list of words");
}

void LabelledOptions::visit_second(OptionVisitor& visitor) {
  visitor.field("pair_field", pair_field, {},
                "field of a second text beside that of data.field; empty: there is none");
}

void LabelledOptions::visit_common(OptionVisitor& visitor) {
  visitor.field("label_field", label_field, {}, "field of a record that holds what is to be predicted");
  visitor.field("layout", layout, {"auto", "encoder", "decoder"},
                "encoder: every row sees the sequence, and its first row stands for it; decoder: rows see "
                "what stands before them, and the last one does; auto: encoder where the tokenizer has a CLS "
                "token");
}

void ObjectiveOptions::visit(OptionVisitor& visitor) {
  visitor.field("train", train, {}, "what is trained: \"mlm + nsp\", \"0.5 causal | 0.5 reverse\"",
                {.required = true});
  visitor.field("evaluate", evaluate, "other objectives that are evaluated on the held-out text too");
  visit_tables(visitor);
}

void ObjectiveOptions::visit_tables(OptionVisitor& visitor) {
  visitor.table("mlm", "masked language model", [&](OptionVisitor& table) { mlm.visit(table); });
  visitor.table("nsp", "next sentence prediction", [&](OptionVisitor& table) { nsp.visit(table); });
  visitor.table("sop", "sentence order prediction", [&](OptionVisitor& table) { sop.visit(table); });
  visitor.table("blank_infilling", "blank infilling, as GLM has it",
                [&](OptionVisitor& table) { blank_infilling.visit(table); });
  visitor.table("conditional", "a completion given its prompt",
                [&](OptionVisitor& table) { conditional.visit(table); });
  visitor.table("cloze", "choice among options for a blank",
                [&](OptionVisitor& table) { cloze.visit(table); });
  visitor.table("classification", "the class of a text, or of two", [&](OptionVisitor& table) {
    classification.visit_labels(table);
    classification.visit_second(table);
    classification.visit_common(table);
  });
  visitor.table("regression", "the number of a text, or of two", [&](OptionVisitor& table) {
    regression.visit_second(table);
    regression.visit_common(table);
  });
  visitor.table("token_classification", "a class for every word", [&](OptionVisitor& table) {
    token_classification.visit_labels(table);
    token_classification.visit_words(table);
    token_classification.visit_common(table);
  });
}

}  // namespace surprisal
