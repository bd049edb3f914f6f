// Prompts of files: what read_prompts() of surprisal/generate.h promises.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"
#include "surprisal/generate.h"

#include "infer/loaded_model.h"
#include "infer/objective_keys.h"
#include "model/family.h"
#include "objective/conditional.h"
#include "objective/conditional_infilling.h"
#include "objective/records.h"
#include "text/corpus/corpus_files.h"
#include "text/corpus/document_reader.h"
#include "text/corpus/pair_encoder.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr std::int64_t kMostRows = 1 << 30;  // of a prompt: how many there may be the model says

CorpusOptions reading_prompts(const ObjectiveOptions& objective) {
  CorpusOptions options{.records = pair_records(objective)};
  options.records.prompts_alone = true;
  return options;
}

class PromptMaker {
 public:
  PromptMaker(LoadedModel& model, const ObjectiveOptions& objective, const CorpusOptions& options)
      : tokenizer_(model.tokenizer()),
        encoder_(options.records, tokenizer_),
        begin_of_text_(begin_of_text(objective)),
        blanks_(find_family(model.config().family, "model").any_sight),
        trained_on_pairs_(model.config().training_objective.find("conditional") != std::string::npos) {
    const bool asked = objective.conditional.position != ConditionalOptions().position ||
                       objective.conditional.mask != ConditionalOptions().mask;
    if (blanks_ && (trained_on_pairs_ || asked)) infilling_.emplace(objective, tokenizer_, kMostRows);
  }

  Prompt make(const Document& document, const std::string& where) const {
    if ((document.marks & PairMark::chat) != 0) return of_chat(document, where);
    Prompt prompt{.text = document.text};
    if (is_blank(prompt.text)) {
      throw Error(ErrorKind::data,
                  {.what = "the prompt has no text", .where = where, .fix = "leave such records out"});
    }
    if (infilling_) return of_blank(document, where);
    const std::optional<bool> before = begins_before(document);
    if (!before) return prompt;
    prompt.ids = encoder_.encode_prompt(document, where);
    if (const std::optional<std::int32_t> begin = begin_token(*before))
      prompt.ids.insert(*before ? prompt.ids.begin() : prompt.ids.end(), *begin);
    return prompt;
  }

 private:
  Prompt of_chat(const Document& document, const std::string& where) const {
    if (blanks_) {
      throw Error(ErrorKind::usage, {.what = "a chat is answered by a decoder, not by a model of blanks",
                                     .where = where,
                                     .fix = "use a model that was made for chats"});
    }
    Prompt prompt;
    prompt.ids = encoder_.encode_prompt(document, where);
    prompt.ends = encoder_.layout(where).ends();
    prompt.text = tokenizer_.decode(prompt.ids);
    return prompt;
  }

  Prompt of_blank(const Document& document, const std::string& where) const {
    AskedBlank asked = infilling_->ask(encoder_.encode_prompt(document, where));
    return {.text = document.text,
            .ids = std::move(asked.ids),
            .mask = asked.mask,
            .position = name_of(asked.position),
            .begin = asked.begin,
            .end = asked.end};
  }

  // Whether the begin of text stands before the prompt, or behind it; nothing where the prompt begins as
  // generate() has it.
  std::optional<bool> begins_before(const Document& document) const {
    if (blanks_ || begin_of_text_ == BeginOfText::none) return {};
    if (begin_of_text_ == BeginOfText::between) return false;
    if (begin_of_text_ == BeginOfText::before) return true;
    if ((document.marks & PairMark::line) != 0) return false;
    return trained_on_pairs_ ? std::optional(true) : std::nullopt;
  }

  std::optional<std::int32_t> begin_token(bool before) const {
    const SpecialTokens& special = tokenizer_.special();
    return special.bos || before ? special.bos : special.eos;
  }

  const Tokenizer& tokenizer_;
  PairEncoder encoder_;
  BeginOfText begin_of_text_;
  bool blanks_, trained_on_pairs_;
  std::optional<ConditionalInfilling> infilling_;  // where prompts are asked as that lays them out
};

}  // namespace

std::vector<Prompt> read_prompts(Model& model, const std::string& file,
                                 const std::vector<Override>& objective) {
  const ObjectiveOptions keys = objective_of(model.loaded().config(), objective);
  const CorpusOptions options = reading_prompts(keys);
  const PromptMaker maker(model.loaded(), keys, options);
  const CorpusFileList list = list_corpus_files({file});
  DocumentReader reader(list.files, options);
  std::vector<Prompt> prompts;
  for (Document document; reader.next(document);) {
    prompts.push_back(maker.make(document, fmt::format("{}:{}", list.files[document.file], document.line)));
  }
  if (prompts.empty()) throw Error(ErrorKind::data, {.what = "no prompt", .where = file});
  return prompts;
}

}  // namespace surprisal
