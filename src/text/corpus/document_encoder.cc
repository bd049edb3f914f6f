#include "text/corpus/document_encoder.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/corpus/document_reader.h"
#include "text/tokenizer/special_tokens.h"

namespace surprisal {
namespace {

// Byte offsets of sentences to indices of tokens: a sentence that begins inside a token begins at the next
// one, and one without a token of its own vanishes.
std::vector<std::uint32_t> sentence_tokens(const std::vector<std::uint32_t>& sentences,
                                           const std::vector<std::uint32_t>& starts) {
  std::vector<std::uint32_t> result{0};
  std::uint32_t token = 0;
  for (std::uint32_t sentence : sentences) {
    while (token < starts.size() && starts[token] < sentence) ++token;
    if (token == starts.size()) break;
    if (token > result.back()) result.push_back(token);
  }
  return result;
}

// Throws Error (data) unless every option has a token, and the context one mask.
void check_choice(const EncodedDocument& document, const Tokenizer& tokenizer, const std::string& file) {
  auto fail = [&](std::string what, std::string found, std::string fix) {
    throw Error(ErrorKind::data, {.what = std::move(what),
                                  .where = fmt::format("{}:{}", file, document.line),
                                  .found = std::move(found),
                                  .fix = std::move(fix)});
  };
  const auto size = static_cast<std::uint32_t>(document.tokens.size());
  for (std::size_t part = 1; part < document.sentences.size(); ++part) {
    const std::uint32_t end = part + 1 < document.sentences.size() ? document.sentences[part + 1] : size;
    if (document.sentences[part] < end) continue;
    fail(fmt::format("the tokenizer makes no token of option {}", part - 1), "", "");
  }
  const SpecialTokens& special = tokenizer.special();
  const auto masks = std::count_if(document.tokens.begin(), document.tokens.begin() + document.sentences[1],
                                   [&](std::int32_t id) { return is_mask(special, id); });
  if (masks == 1) return;
  std::string fix = "the tokenizer has none";
  if (masks > 1) {
    fix = "leave one in the record and objective.cloze.pattern together";
  } else if (special.mask) {
    fix = fmt::format("the tokenizer's is {}; objective.cloze.pattern can add it",
                      tokenizer.token(*special.mask));
  }
  fail("the text of a choice has one mask, where the option stands",
       masks == 0 ? "none" : fmt::format("{}", masks), std::move(fix));
}

// Each part alone.
void encode_parts(const Document& document, const Tokenizer& tokenizer, EncodedDocument& encoded) {
  const std::string_view text = document.text;
  for (std::size_t part = 0; part < document.sentences.size(); ++part) {
    const std::size_t begin = document.sentences[part];
    const std::size_t end = part + 1 < document.sentences.size() ? document.sentences[part + 1] : text.size();
    encoded.sentences.push_back(static_cast<std::uint32_t>(encoded.tokens.size()));
    tokenizer.encode(text.substr(begin, end - begin), encoded.tokens);
  }
}

// Words with their blanks as one text: a token belongs to the word in which it begins, one that begins with
// the blank before a word to that.
void encode_words(const Document& document, const Tokenizer& tokenizer, EncodedDocument& encoded) {
  std::vector<std::uint32_t> starts;
  tokenizer.encode(document.text, encoded.tokens, &starts);
  std::uint32_t token = 0;
  for (std::uint32_t word : document.sentences) {
    const std::uint32_t begin = word == 0 ? 0 : word - 1;  // with the blank
    while (token < starts.size() && starts[token] < begin) ++token;
    encoded.sentences.push_back(token);
  }
}

}  // namespace

DocumentEncoder::DocumentEncoder(const CorpusOptions& options, const Tokenizer& tokenizer,
                                 const std::vector<std::string>& files)
    : options_(options), tokenizer_(tokenizer), files_(files), pairs_(options.records, tokenizer) {}

EncodedDocument DocumentEncoder::encode(Document document) const {
  EncodedDocument encoded{.bytes = document.text.size(),
                          .line = document.line,
                          .file = static_cast<std::uint32_t>(document.file),
                          .kind = document.kind,
                          .marks = document.marks,
                          .label = document.label};
  switch (document.kind) {
    case DocumentKind::text: {
      cut_document(document, options_);
      std::vector<std::uint32_t> starts;
      tokenizer_.encode(document.text, encoded.tokens, &starts);
      encoded.sentences = sentence_tokens(document.sentences, starts);
      encoded.bytes = document.text.size();
      break;
    }
    case DocumentKind::pair:
      pairs_.encode(document, fmt::format("{}:{}", files_[document.file], document.line), encoded);
      break;
    case DocumentKind::choice:
      encode_parts(document, tokenizer_, encoded);
      check_choice(encoded, tokenizer_, files_[document.file]);
      break;
    case DocumentKind::labelled:
      options_.records.labels.of == LabelOf::word ? encode_words(document, tokenizer_, encoded)
                                                  : encode_parts(document, tokenizer_, encoded);
      encoded.labels = std::move(document.labels);
      break;
  }
  return encoded;
}

}  // namespace surprisal
