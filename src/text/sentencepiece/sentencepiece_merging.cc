// The merging of SentencePieceBpe.
#include <algorithm>
#include <queue>
#include <string>
#include <unordered_map>

#include "text/sentencepiece/sentencepiece_models.h"
#include "text/unicode/unicode.h"

namespace surprisal {

// Symbols are bytes [begin, end) of the word, in a list; one that was joined to the one before it is empty.
struct SentencePieceBpe::Merging {
  static constexpr std::int32_t kNone = -1;
  struct Symbol {
    std::uint32_t begin, end;
    std::int32_t before, next;
    bool whole;  // a user-defined piece, which joins nothing
  };
  struct Candidate {
    float score;
    std::int32_t left, right;
    std::uint32_t size;  // of both together: another one when a symbol has grown since
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };

  const SentencePieceBpe& bpe;
  std::string_view word;
  std::vector<Symbol> symbols;
  std::priority_queue<Candidate> queue;
  // Where the left part of an unused piece ends that was considered last, counted from its beginning.
  std::unordered_map<std::string_view, std::uint32_t> parts;

  void cut_into_characters() {
    for (std::size_t at = 0; at < word.size();) {
      std::size_t begin = at;
      std::optional<ByteTrie::Match> symbol = bpe.user_defined_.longest_prefix(word.substr(at));
      symbol ? void(at += symbol->size) : void(next_code_point(word, at));
      auto index = static_cast<std::int32_t>(symbols.size());
      symbols.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at), index - 1,
                         at < word.size() ? index + 1 : kNone, symbol.has_value()});
    }
  }

  Symbol& at(std::int32_t index) { return symbols[static_cast<std::size_t>(index)]; }

  void consider(std::int32_t left, std::int32_t right) {
    if (left == kNone || right == kNone || at(left).whole || at(right).whole) return;
    std::string_view piece = word.substr(at(left).begin, at(right).end - at(left).begin);
    std::optional<std::int32_t> id = bpe.found(piece);
    if (!id) return;
    float score = bpe.model_->pieces[static_cast<std::size_t>(*id)].score;
    queue.push({score, left, right, static_cast<std::uint32_t>(piece.size())});
    if (bpe.type(*id) == SentencePieceModel::Type::unused) parts[piece] = at(left).end - at(left).begin;
  }

  void merge() {
    for (std::int32_t right = 1; right < std::ssize(symbols); ++right) consider(right - 1, right);
    while (!queue.empty()) {
      Candidate top = queue.top();
      queue.pop();
      Symbol &left = at(top.left), &right = at(top.right);
      bool stale = left.begin == left.end || right.begin == right.end || right.end - left.begin != top.size;
      if (stale) continue;
      left.end = right.end;
      left.next = right.next;
      if (right.next != kNone) at(right.next).before = top.left;
      right.begin = right.end;
      consider(left.before, top.left);
      consider(top.left, left.next);
    }
  }
};

// The token of a symbol; of one that is an unused piece the tokens of what it was made of.
void SentencePieceBpe::add_parts(Merging& merging, std::uint32_t begin, std::uint32_t end,
                                 std::vector<WordToken>& tokens) const {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> open = {{begin, end}};
  while (!open.empty()) {
    auto [first, last] = open.back();
    open.pop_back();
    std::string_view piece = merging.word.substr(first, last - first);
    std::optional<std::int32_t> id = vocabulary().id(piece);
    auto part = merging.parts.find(piece);
    if (id && type(*id) == SentencePieceModel::Type::unused && part != merging.parts.end()) {
      open.emplace_back(first + part->second, last);
      open.emplace_back(first, first + part->second);
    } else {
      add(merging.word, first, last, id.value_or(model_->unknown), tokens);
    }
  }
}

void SentencePieceBpe::tokenize(std::string_view word, std::vector<WordToken>& tokens) const {
  Merging merging{*this, word, {}, {}, {}};
  merging.cut_into_characters();
  merging.merge();
  for (std::int32_t index = 0; index != Merging::kNone; index = merging.at(index).next) {
    add_parts(merging, merging.at(index).begin, merging.at(index).end, tokens);
  }
}

void SentencePieceWords::pre_tokenize(Words& words) const {
  std::vector<ByteSpan> spans;
  std::string_view text = words.content.text;
  for (ByteSpan span : words.spans) {
    std::uint32_t begin = span.begin;
    for (std::size_t at = text.find(kSpaceSymbol, begin); at < span.end;) {
      auto cut = static_cast<std::uint32_t>(at);
      if (cut > begin) {
        spans.push_back({begin, cut});
        begin = cut;
      }
      while (text.substr(at).starts_with(kSpaceSymbol)) at += kSpaceSymbol.size();
      at = text.find(kSpaceSymbol, at);
    }
    spans.push_back({begin, span.end});
  }
  words.spans = std::move(spans);
}

}  // namespace surprisal
