#include "text/train/unigram_learner.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/parallel.h"
#include "text/train/frequent_substrings.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

// SentencePiece's defaults.
constexpr std::size_t kMaxSeeds = 1000000, kMaxPieceCharacters = 16;
constexpr int kSubIterations = 2;
constexpr double kShrinkingFactor = 0.75;
constexpr double kLeastExpectation = 0.5;
constexpr double kSlack = 1.1;                    // of the size wished, before the last choice
constexpr double kMissingCharacterStep = 0.0001;  // between the scores of characters that lost their own
// Sums are formed over this many parts of the words, and these added up in order: their rounding does not
// depend on the number of threads.
constexpr std::int64_t kParts = 16;

double digamma(double x) {
  double result = 0;
  for (; x < 7; ++x) result -= 1 / x;
  x -= 0.5;
  double square = 1 / (x * x), fourth = square * square;
  return result + std::log(x) + square / 24 - 7 * fourth / 960 + 31 * fourth * square / 8064 -
         127 * fourth * fourth / 30720;
}

std::ptrdiff_t count_characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
}

bool is_one_character(std::string_view text) {
  std::size_t at = 0;
  next_code_point(text, at);
  return at == text.size();
}

class Learner {
 public:
  Learner(const std::vector<WordCount>& words, const std::vector<std::string>& alphabet)
      : words_(words), alphabet_(alphabet) {
    seed();
  }

  std::size_t size() const { return pieces_.size(); }

  void maximise_expectation() {
    std::vector<double> expected =
        sum_over_words([&](const UnigramLattice& lattice, const WordCount& word, std::vector<double>& sums) {
          lattice.add_expectations(word.word, static_cast<double>(word.count), sums);
        });
    std::vector<ScoredPiece> kept;
    double sum = 0;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      // The lattice needs every character, however rare.
      bool stays = expected[i] >= kLeastExpectation || is_one_character(pieces_[i].text);
      if (!stays) continue;
      kept.push_back({std::move(pieces_[i].text), std::max(expected[i], kLeastExpectation)});
      sum += kept.back().score;
    }
    double all = digamma(sum);
    for (ScoredPiece& piece : kept) piece.score = digamma(piece.score) - all;
    pieces_ = std::move(kept);
  }

  // Leaves at least `least` pieces; false where none could go.
  bool prune(std::size_t least) {
    std::size_t before = pieces_.size();
    auto share = static_cast<std::size_t>(kShrinkingFactor * static_cast<double>(before));
    std::vector<double> counts = viterbi_counts();
    std::vector<std::pair<double, std::size_t>> candidates;  // loss, piece
    std::vector<bool> stays(before);
    judge(counts, stays, candidates);
    std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    auto kept = static_cast<std::size_t>(std::count(stays.begin(), stays.end(), true));
    for (auto [loss, piece] : candidates) {
      if (kept >= std::max(least, share)) break;
      stays[piece] = true;
      ++kept;
    }
    std::vector<ScoredPiece> left;
    for (std::size_t i = 0; i < before; ++i) {
      if (stays[i]) left.push_back(std::move(pieces_[i]));
    }
    pieces_ = std::move(left);
    return pieces_.size() < before;
  }

  // The alphabet, and the best of the rest.
  std::vector<ScoredPiece> finish(std::size_t size) {
    std::unordered_map<std::string, double> known;
    double lowest = 0;
    for (const ScoredPiece& piece : pieces_) {
      known.emplace(piece.text, piece.score);
      lowest = std::min(lowest, piece.score);
    }
    std::vector<ScoredPiece> result;
    std::unordered_set<std::string> characters(alphabet_.begin(), alphabet_.end());
    double missing = 0;
    for (const std::string& character : alphabet_) {
      auto found = known.find(character);
      result.push_back({character, found != known.end() ? found->second : lowest + missing});
      if (found == known.end()) missing += kMissingCharacterStep;
    }
    std::sort(pieces_.begin(), pieces_.end(), more_probable);
    for (ScoredPiece& piece : pieces_) {
      if (result.size() >= size) break;
      if (!characters.contains(piece.text)) result.push_back(std::move(piece));
    }
    std::sort(result.begin(), result.end(), more_probable);
    return result;
  }

 private:
  static bool more_probable(const ScoredPiece& a, const ScoredPiece& b) {
    return a.score != b.score ? a.score > b.score : a.text < b.text;
  }

  void seed() {
    std::unordered_map<std::string_view, std::uint64_t> characters;
    for (const std::string& character : alphabet_) characters.emplace(character, 0);
    for (const WordCount& word : words_) {
      for (std::size_t at = 0; at < word.word.size();) {
        std::size_t begin = at;
        next_code_point(word.word, at);
        auto found = characters.find(std::string_view(word.word).substr(begin, at - begin));
        if (found != characters.end()) found->second += word.count;
      }
    }
    double sum = 0;
    auto add = [&](std::string text, double cover) {
      pieces_.push_back({std::move(text), std::max(cover, 1.0)});
      sum += pieces_.back().score;
    };
    for (const std::string& character : alphabet_) add(character, static_cast<double>(characters[character]));
    for (Substring& substring : frequent_substrings(words_, kMaxPieceCharacters, kMaxSeeds)) {
      double size = static_cast<double>(count_characters(substring.text));
      add(std::move(substring.text), size * static_cast<double>(substring.count));
    }
    for (ScoredPiece& piece : pieces_) piece.score = std::log(piece.score) - std::log(sum);
  }

  // Adds up add(lattice, word, sums) over all words, a sum for every piece.
  template <class Add>
  std::vector<double> sum_over_words(Add add) const {
    UnigramLattice lattice(pieces_);
    std::vector<std::vector<double>> parts(kParts);
    parallel_for(kParts, [&](std::int64_t part, int) {
      auto& sums = parts[static_cast<std::size_t>(part)];
      sums.resize(pieces_.size());
      for (std::size_t i = static_cast<std::size_t>(part); i < words_.size(); i += kParts)
        add(lattice, words_[i], sums);
    });
    for (std::size_t part = 1; part < parts.size(); ++part) {
      for (std::size_t i = 0; i < pieces_.size(); ++i) parts[0][i] += parts[part][i];
    }
    return std::move(parts[0]);
  }

  // How often every piece is in the most probable cut of the text.
  std::vector<double> viterbi_counts() const {
    return sum_over_words(
        [](const UnigramLattice& lattice, const WordCount& word, std::vector<double>& sums) {
          double score = 0;
          for (std::int32_t piece : lattice.best_path(word.word, -1, &score)) {
            sums[static_cast<std::size_t>(piece)] += static_cast<double>(word.count);
          }
        });
  }

  // Which pieces stay anyway, and what the text would lose with each of the others; a piece that is neither
  // can go for nothing.
  void judge(const std::vector<double>& counts, std::vector<bool>& stays,
             std::vector<std::pair<double, std::size_t>>& candidates) const {
    UnigramLattice lattice(pieces_);
    double sum = std::accumulate(counts.begin(), counts.end(), 0.0), words = 0;
    for (const WordCount& word : words_) words += static_cast<double>(word.count);
    std::vector<std::vector<std::int32_t>> others(pieces_.size());
    std::vector<char> best(pieces_.size());
    constexpr std::int64_t kBlock = 1024;
    parallel_ranges(std::ssize(pieces_), kBlock, [&](std::int64_t begin, std::int64_t end, int) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        double score = 0;
        others[i] = lattice.best_path(pieces_[i].text, static_cast<std::int32_t>(i), &score);
        best[i] = others[i].empty() || pieces_[i].score >= score;
      }
    });
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (others[i].empty()) {
        stays[i] = true;
      } else if (counts[i] > 0 && best[i]) {
        candidates.emplace_back(counts[i] / words * loss(i, others[i], counts, sum), i);
      }
    }
  }

  // Of one occurrence: the logarithm of the piece's probability less that of the pieces in its place.
  static double loss(std::size_t piece, const std::vector<std::int32_t>& others,
                     const std::vector<double>& counts, double sum) {
    double count = counts[piece];
    double after = std::log(sum + count * static_cast<double>(others.size() - 1)), in_its_place = 0;
    for (std::int32_t other : others) {
      in_its_place += std::log(counts[static_cast<std::size_t>(other)] + count) - after;
    }
    return std::log(count) - std::log(sum) - in_its_place;
  }

  const std::vector<WordCount>& words_;
  const std::vector<std::string>& alphabet_;
  std::vector<ScoredPiece> pieces_;
};

}  // namespace

std::vector<ScoredPiece> learn_unigram(const std::vector<WordCount>& words,
                                       const std::vector<std::string>& alphabet, std::size_t size,
                                       const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  Learner learner(words, alphabet);
  std::size_t seeds = learner.size();
  auto wished = static_cast<std::size_t>(kSlack * static_cast<double>(size));
  auto report = [&] {
    if (progress) progress(seeds - std::min(seeds, learner.size()), seeds - std::min(seeds, size));
  };
  while (true) {
    for (int i = 0; i < kSubIterations; ++i) {
      learner.maximise_expectation();
      report();
    }
    if (learner.size() <= wished || !learner.prune(wished)) break;
    report();
  }
  return learner.finish(size);
}

}  // namespace surprisal
