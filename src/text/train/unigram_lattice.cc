#include "text/train/unigram_lattice.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kImpossible ? a : a + std::log1p(std::exp(b - a));
}

}  // namespace

UnigramLattice::UnigramLattice(const std::vector<ScoredPiece>& pieces) {
  for (const ScoredPiece& piece : pieces) {
    trie_.add(piece.text, static_cast<std::int32_t>(scores_.size()));
    scores_.push_back(piece.score);
  }
}

std::vector<UnigramLattice::Edge> UnigramLattice::edges(std::string_view word) const {
  std::vector<Edge> result;
  for (std::size_t begin = 0; begin < word.size(); next_code_point(word, begin)) {
    trie_.for_each_prefix(word.substr(begin), [&](std::size_t size, std::int32_t piece) {
      result.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(begin + size), piece});
    });
  }
  return result;
}

double UnigramLattice::add_expectations(std::string_view word, double count,
                                        std::vector<double>& expected) const {
  std::vector<Edge> list = edges(word);
  std::vector<double> before(word.size() + 1, kImpossible), after(word.size() + 1, kImpossible);
  auto score = [&](const Edge& edge) { return scores_[static_cast<std::size_t>(edge.piece)]; };
  before[0] = after[word.size()] = 0;
  for (const Edge& edge : list) {
    before[edge.end] = log_add(before[edge.end], before[edge.begin] + score(edge));
  }
  for (auto edge = list.rbegin(); edge != list.rend(); ++edge) {
    after[edge->begin] = log_add(after[edge->begin], after[edge->end] + score(*edge));
  }
  double all = before[word.size()];
  if (all == kImpossible) return all;
  for (const Edge& edge : list) {
    double share = before[edge.begin] + score(edge) + after[edge.end] - all;
    expected[static_cast<std::size_t>(edge.piece)] += count * std::exp(share);
  }
  return all;
}

std::vector<std::int32_t> UnigramLattice::best_path(std::string_view word, std::int32_t without,
                                                    double* score) const {
  struct Best {
    double score = kImpossible;
    std::uint32_t begin = 0;
    std::int32_t piece = -1;
  };
  std::vector<Best> best(word.size() + 1);
  best[0].score = 0;
  for (const Edge& edge : edges(word)) {
    if (edge.piece == without && edge.end - edge.begin == word.size()) continue;
    double sum = best[edge.begin].score + scores_[static_cast<std::size_t>(edge.piece)];
    if (sum > best[edge.end].score) best[edge.end] = {sum, edge.begin, edge.piece};
  }
  *score = best[word.size()].score;
  std::vector<std::int32_t> path;
  if (*score == kImpossible) return path;
  for (std::size_t end = word.size(); end > 0; end = best[end].begin) path.push_back(best[end].piece);
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace surprisal
