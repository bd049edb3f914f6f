#include "text/tokenizer/pipeline.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"
#include "text/tokenizer/component_table.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

// The files of other tools have had this version since 2020.
const Json& checked_root(const Json& root, const std::string& where) {
  check_keys(root,
             "version truncation padding added_tokens normalizer pre_tokenizer post_processor decoder model",
             where);
  std::string version = get_string_or(root, "version", where, "1.0");
  if (version != "1.0") {
    throw Error(
        ErrorKind::data,
        {.what = "unknown version of tokenizer.json", .where = where, .found = version, .expected = "1.0"});
  }
  return root;
}

void check_text(std::string_view text) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max() / 2) {
    // Half of what offsets could hold: byte-level text has up to two bytes for each.
    throw Error(ErrorKind::data, {.what = "a text is too long to be tokenized at once",
                                  .found = fmt::format("{} bytes", text.size()),
                                  .expected = "less than 2 GiB"});
  }
  if (std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    throw Error(ErrorKind::data, {.what = fmt::format("the text is no UTF-8 at byte {}", bad)});
  }
}

void check_template(std::span<const TemplatePiece> pieces, std::int32_t size, const std::string& where) {
  for (const TemplatePiece& piece : pieces) {
    if (piece.sequence >= 0 || piece.id < size) continue;
    throw Error(ErrorKind::data, {.what = "a token of the post-processor is outside the vocabulary",
                                  .where = where + ", post_processor",
                                  .found = fmt::format("id {}", piece.id),
                                  .expected = fmt::format("below {}", size)});
  }
}

}  // namespace

struct TokenizerPipeline::Output {
  WordCache& cache;
  std::vector<std::int32_t>& ids;
  std::vector<std::uint32_t>* starts;

  void add(std::int32_t id, std::uint32_t start) {
    ids.push_back(id);
    if (starts) starts->push_back(start);
  }
};

TokenizerPipeline::TokenizerPipeline(const Json& root, const std::string& where)
    : parts_(make_parts(checked_root(root, where), where)),
      templates_(make_templates(root, where)),
      added_(root, parts_.model->vocabulary(), parts_.normalizer.get(), where),
      size_(parts_.model->vocabulary().size()) {
  needs_origins_ = parts_.pre_tokenizer && parts_.pre_tokenizer->needs_origins();
  for (const AddedToken& token : added_.tokens()) size_ = std::max(size_, token.id + 1);
  check_template(templates_.single, size_, where);
  check_template(templates_.pair, size_, where);
}

void TokenizerPipeline::encode(std::string_view text, std::vector<std::int32_t>& ids,
                               std::vector<std::uint32_t>* starts, SpecialSpelling special) const {
  check_text(text);
  WordCachePool::Lease cache(caches_);
  Output output{*cache, ids, starts};
  for (const AddedTokens::Part& part : added_.find_in_raw(text, special)) {
    if (part.id) {
      output.add(*part.id, part.span.begin);
    } else {
      std::string_view between = text.substr(part.span.begin, part.span.end - part.span.begin);
      AlignedText aligned = AlignedText::from(between, part.span.begin);
      if (!starts && !needs_origins_) aligned.origin = Origins::unknown();
      encode_between(std::move(aligned), special, output);
    }
  }
}

void TokenizerPipeline::encode_between(AlignedText text, SpecialSpelling special, Output& output) const {
  if (parts_.normalizer) parts_.normalizer->normalize(text);
  std::vector<AddedTokens::Part> parts = added_.find_in_normalized(text.text, special);
  if (parts.size() == 1 && !parts.front().id) return encode_words(std::move(text), output);  // the usual case
  for (const AddedTokens::Part& part : parts) {
    if (part.id) {
      output.add(*part.id, text.origin[part.span.begin]);
    } else {
      encode_words(text.slice(part.span), output);
    }
  }
}

void TokenizerPipeline::encode_words(AlignedText text, Output& output) const {
  Words words = Words::from(std::move(text));
  if (parts_.pre_tokenizer) parts_.pre_tokenizer->pre_tokenize_to_bytes(words);
  for (ByteSpan span : words.spans) {
    for (WordToken token : output.cache.tokens(words.word(span), words.bytes, *parts_.model)) {
      output.add(token.id, words.content.origin[span.begin + token.begin]);
    }
  }
}

std::string TokenizerPipeline::decode(std::span<const std::int32_t> ids) const {
  std::vector<std::string> pieces;
  pieces.reserve(ids.size());
  for (std::int32_t id : ids) {
    if (id < 0 || id >= size_) {
      throw Error(ErrorKind::data, {.what = "token id outside the vocabulary",
                                    .found = fmt::format("{}", id),
                                    .expected = fmt::format("in [0, {})", size_)});
    }
    if (const AddedToken* added = added_.token(id)) {
      pieces.push_back(added->spelling);
    } else if (parts_.model->vocabulary().contains(id)) {
      pieces.emplace_back(parts_.model->vocabulary().spelling(id));
    }  // An id in a gap of the vocabulary has no text.
  }
  if (parts_.decoder) parts_.decoder->decode(pieces);
  std::string text;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!parts_.decoder && i > 0) text += ' ';
    text += pieces[i];
  }
  return text;
}

std::optional<std::int32_t> TokenizerPipeline::id(std::string_view token) const {
  std::optional<std::int32_t> added = added_.id(token);
  return added ? added : parts_.model->vocabulary().id(token);
}

std::string_view TokenizerPipeline::token(std::int32_t id) const {
  const AddedToken* added = added_.token(id);
  return added ? std::string_view(added->content) : parts_.model->vocabulary().spelling(id);
}

bool TokenizerPipeline::is_special(std::int32_t id) const {
  const AddedToken* added = added_.token(id);
  return added ? added->special : parts_.model->is_reserved(id);
}

}  // namespace surprisal
