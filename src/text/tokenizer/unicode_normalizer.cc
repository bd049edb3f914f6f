#include "text/tokenizer/unicode_normalizer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

bool composes(NormalizationForm form) {
  return form == NormalizationForm::nfc || form == NormalizationForm::nfkc;
}
bool is_compatibility(NormalizationForm form) {
  return form == NormalizationForm::nfkc || form == NormalizationForm::nfkd;
}

// Unknown to Unicode 9: no decomposition, no composition, and a starter.
bool is_newer(char32_t c) {
  static const CodePointSet set(undecomposed());
  return set.contains(c);
}

int decompose(char32_t c, bool compatibility, char32_t parts[kMaxDecomposition]) {
  static const CodePointSet compatible_since(undecomposed_compatibility());
  if (is_newer(c) || (compatibility && compatible_since.contains(c))) {
    parts[0] = c;
    return 1;
  }
  return full_decomposition(c, compatibility, parts);
}

int order_of(char32_t c) {
  return is_newer(c) ? 0 : combining_class(c);
}

char32_t compose(char32_t first, char32_t second) {
  if (second < 0x300) return 0;
  char32_t composed = canonical_composition(first, second);
  return is_newer(composed) ? 0 : composed;
}

struct Character {
  char32_t c;
  int order;
};

// A stretch of text that normalizes by itself: parts in order, and the places that they came from, which stay
// in the order of the text.
struct Stretch {
  std::vector<Character> characters;
  std::vector<std::uint32_t> places;

  void clear() {
    characters.clear();
    places.clear();
  }

  void add(char32_t c, std::uint32_t from, bool compatibility) {
    char32_t parts[kMaxDecomposition];
    int count = decompose(c, compatibility, parts);
    for (int i = 0; i < count; ++i) {
      characters.push_back({parts[i], order_of(parts[i])});
      places.push_back(from);
    }
  }

  void sort_marks() {
    auto starter = [](Character c) { return c.order == 0; };
    for (auto at = characters.begin(); at != characters.end();) {
      auto begin = std::find_if_not(at, characters.end(), starter);
      at = std::find_if(begin, characters.end(), starter);
      std::stable_sort(begin, at, [](Character a, Character b) { return a.order < b.order; });
    }
  }

  void compose_all() {
    constexpr std::size_t kNone = ~std::size_t{0};
    std::size_t starter = kNone, kept = 0;
    for (std::size_t i = 0; i < characters.size(); ++i) {
      Character next = characters[i];
      // What stands between must be of a lower class.
      bool reachable = starter != kNone && (kept == starter + 1 || characters[kept - 1].order < next.order);
      if (char32_t composed = reachable ? compose(characters[starter].c, next.c) : 0) {
        characters[starter].c = composed;
        continue;
      }
      if (next.order == 0) starter = kept;
      places[kept] = places[i];
      characters[kept++] = next;
    }
    characters.resize(kept);
    places.resize(kept);
  }
};

// Code points that every text may be cut in front of, and that alone are what they are.
std::vector<CodePointRange> find_active(NormalizationForm form) {
  std::vector<CodePointRange> active;
  auto add = [&](char32_t first, char32_t last) { active.push_back({first, last}); };
  Stretch alone;
  auto look_at = [&](char32_t c) {
    alone.clear();
    alone.add(c, 0, is_compatibility(form));
    bool taken_apart = alone.characters.size() > 1;
    char32_t last = alone.characters.back().c;
    if (composes(form)) alone.compose_all();
    bool same = alone.characters.size() == 1 && alone.characters[0].c == c;
    if (!same || order_of(c) != 0) add(c, c);
    // The second half of any pair: more than compose, and simple.
    if (composes(form) && taken_apart) add(last, last);
  };
  // Nothing else has a decomposition or a class.
  for (char32_t c = 0x80; c < 0x30000; ++c) {
    if (c < 0xAC00 || c > 0xDFFF) look_at(c);
  }
  if (!composes(form)) add(0xAC00, 0xD7A3);
  if (composes(form)) {
    add(0x1161, 0x1175);  // jamo that go to the syllable before them
    add(0x11A8, 0x11C2);
  }
  return active;
}

const CodePointSet& active(NormalizationForm form) {
  switch (form) {
    case NormalizationForm::nfc: {
      static const CodePointSet set(find_active(NormalizationForm::nfc));
      return set;
    }
    case NormalizationForm::nfd: {
      static const CodePointSet set(find_active(NormalizationForm::nfd));
      return set;
    }
    case NormalizationForm::nfkc: {
      static const CodePointSet set(find_active(NormalizationForm::nfkc));
      return set;
    }
    case NormalizationForm::nfkd:
      break;
  }
  static const CodePointSet set(find_active(NormalizationForm::nfkd));
  return set;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) { return static_cast<signed char>(byte) >= 0; });
}

}  // namespace

void UnicodeNormalizer::normalize(AlignedText& text) const {
  if (is_ascii(text.text)) return;
  const CodePointSet& changing = active(form_);
  AlignedText result = text.successor();
  Stretch stretch;
  std::size_t done = 0, starter = 0;  // all before `done` is written; `starter`: the last that is inactive
  auto copy = [&](std::size_t end) {
    result.append(text, {static_cast<std::uint32_t>(done), static_cast<std::uint32_t>(end)});
  };
  for (std::size_t at = 0; at < text.text.size();) {
    std::size_t begin = at;
    if (!changing.contains(next_code_point(text.text, at))) {
      starter = begin;
      continue;
    }
    // The stretch goes from the code point before to the next inactive one.
    copy(starter);
    stretch.clear();
    for (at = starter; at < text.text.size();) {
      begin = at;
      char32_t c = next_code_point(text.text, at);
      if (begin > starter && !changing.contains(c)) {
        at = begin;
        break;
      }
      stretch.add(c, text.origin[begin], is_compatibility(form_));
    }
    stretch.sort_marks();
    if (composes(form_)) stretch.compose_all();
    std::string bytes;
    for (std::size_t i = 0; i < stretch.characters.size(); ++i) {
      bytes.clear();
      append_utf8(stretch.characters[i].c, bytes);
      result.append(bytes, stretch.places[i]);
    }
    done = starter = at;
  }
  if (done == 0) return;
  copy(text.text.size());
  text = std::move(result);
}

}  // namespace surprisal
