#include "text/corpus/pair_encoder.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "text/tokenizer/added_tokens.h"

namespace surprisal {
namespace {

// A piece of a run, up to the next.
struct Region {
  std::size_t begin = 0;
  bool scored = false;
};

// Collects the tokens of runs and special tokens as parts: context and completion by turns.
class Parts {
 public:
  Parts(const Tokenizer& tokenizer, SpecialSpelling special, bool jointly, EncodedDocument& encoded)
      : tokenizer_(tokenizer), special_(special), jointly_(jointly), encoded_(encoded) {
    encoded_.sentences.push_back(0);
  }

  void add_text(std::string_view text, bool scored) {
    if (regions_.empty() || regions_.back().scored != scored) regions_.push_back({run_.size(), scored});
    run_ += text;
  }
  void add_token(std::int32_t id, bool scored) {
    end_run();
    push(id, scored);
  }
  void end_run() {
    jointly_ ? encode_jointly() : encode_separately();
    run_.clear();
    regions_.clear();
  }

 private:
  std::size_t end_of(std::size_t region) const {
    return region + 1 < regions_.size() ? regions_[region + 1].begin : run_.size();
  }
  void encode(std::string_view text, std::vector<std::int32_t>& ids,
              std::vector<std::uint32_t>* starts) const {
    special_ == SpecialSpelling::text ? tokenizer_.encode_as_text(text, ids, starts)
                                      : tokenizer_.encode(text, ids, starts);
  }
  void push(std::int32_t id, bool scored) {
    const bool in_completion = encoded_.sentences.size() % 2 == 0;
    if (scored != in_completion)
      encoded_.sentences.push_back(static_cast<std::uint32_t>(encoded_.tokens.size()));
    encoded_.tokens.push_back(id);
  }

  void encode_separately() {
    for (std::size_t region = 0; region < regions_.size(); ++region) {
      const std::size_t begin = regions_[region].begin;
      ids_.clear();
      encode(std::string_view(run_).substr(begin, end_of(region) - begin), ids_, nullptr);
      for (std::int32_t id : ids_) push(id, regions_[region].scored);
    }
  }

  void encode_jointly() {
    ids_.clear();
    starts_.clear();
    encode(run_, ids_, &starts_);
    std::size_t region = 0;
    for (std::size_t token = 0; token < ids_.size(); ++token) {
      while (region + 1 < regions_.size() && starts_[token] >= regions_[region + 1].begin) {
        ++region;
        if (regions_[region].scored) compare_prompt(regions_[region].begin, token);
      }
      push(ids_[token], regions_[region].scored);
    }
  }

  // Whether the run up to `end`, which the model meets alone when it is to write, has the same first `count`
  // tokens.
  void compare_prompt(std::size_t end, std::size_t count) {
    std::vector<std::int32_t> alone;
    encode(std::string_view(run_).substr(0, end), alone, nullptr);
    if (!std::equal(alone.begin(), alone.end(), ids_.begin(),
                    ids_.begin() + static_cast<std::ptrdiff_t>(count)))
      encoded_.marks |= PairMark::prompt_differs;
  }

  const Tokenizer& tokenizer_;
  SpecialSpelling special_;
  bool jointly_;
  EncodedDocument& encoded_;
  std::string run_;
  std::vector<Region> regions_;
  std::vector<std::int32_t> ids_;
  std::vector<std::uint32_t> starts_;
};

std::optional<ChatLayout> find_layout(const RecordOptions& options, const Tokenizer& tokenizer,
                                      std::optional<Error>& problem) {
  if (!options.reads(DocumentKind::pair)) return {};
  try {
    return ChatLayout(options.pairs.chat, tokenizer);
  } catch (const Error& error) {
    if (options.pairs.chat != "auto") throw;
    problem = error;
    return {};
  }
}

}  // namespace

PairEncoder::PairEncoder(const RecordOptions& options, const Tokenizer& tokenizer)
    : tokenizer_(tokenizer),
      jointly_(options.pairs.tokenise == "jointly"),
      layout_(find_layout(options, tokenizer, no_layout_)) {}

const ChatLayout& PairEncoder::layout(const std::string& where) const {
  if (layout_) return *layout_;
  ErrorParts parts = no_layout_ ? no_layout_->parts() : ErrorParts{.what = "no chats are read"};
  parts.where = where + ", " + parts.where;
  throw Error(ErrorKind::usage, std::move(parts));
}

void PairEncoder::encode(const Document& pair, const std::string& where, EncodedDocument& encoded) const {
  const bool chat = (pair.marks & PairMark::chat) != 0;
  chat ? encode_chat(pair, where, encoded) : encode_texts(pair, where, encoded);
}

void PairEncoder::encode_chat(const Document& pair, const std::string& where,
                              EncodedDocument& encoded) const {
  Parts parts(tokenizer_, SpecialSpelling::text, jointly_, encoded);
  for (const ChatPiece& piece : layout(where).render(pair, false)) {
    piece.token ? parts.add_token(*piece.token, piece.scored) : parts.add_text(piece.text, piece.scored);
  }
  parts.end_run();
}

void PairEncoder::encode_texts(const Document& pair, const std::string& where,
                               EncodedDocument& encoded) const {
  const std::string_view text = pair.text;
  Parts parts(tokenizer_, SpecialSpelling::token, jointly_, encoded);
  parts.add_text(text.substr(0, pair.sentences[1]), false);
  parts.add_text(text.substr(pair.sentences[1]), true);
  parts.end_run();
  if (encoded.sentences.size() != 2) {
    throw Error(ErrorKind::data, {.what = "the tokenizer makes no token of the pair's completion",
                                  .where = where,
                                  .fix = jointly_ ? "all of it may lie in a token of the prompt's end: set "
                                                    "objective.conditional.tokenise = \"separately\""
                                                  : ""});
  }
  const auto completion = encoded.tokens.begin() + encoded.sentences[1];
  if (std::any_of(completion, encoded.tokens.end(),
                  [&](std::int32_t id) { return tokenizer_.is_special(id); }))
    encoded.marks |= PairMark::special_completion;
}

std::vector<std::int32_t> PairEncoder::encode_prompt(const Document& pair, const std::string& where) const {
  EncodedDocument encoded;
  if ((pair.marks & PairMark::chat) == 0) {
    tokenizer_.encode(std::string_view(pair.text).substr(0, pair.sentences[1]), encoded.tokens);
    return std::move(encoded.tokens);
  }
  Parts parts(tokenizer_, SpecialSpelling::text, true, encoded);
  for (const ChatPiece& piece : layout(where).render(pair, true)) {
    piece.token ? parts.add_token(*piece.token, false) : parts.add_text(piece.text, false);
  }
  parts.end_run();
  return std::move(encoded.tokens);
}

}  // namespace surprisal
