#include "infer/document_names.h"

#include <cstdint>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "objective/objective.h"

namespace surprisal {

std::string document_names(std::span<const Stream> streams, const TokenCorpus& corpus) {
  constexpr std::size_t kMost = 8;
  std::set<std::pair<DocumentKind, std::uint64_t>> documents;
  for (const Stream& stream : streams) {
    for (const Sequence& sequence : stream.sequence) documents.emplace(kind_of(sequence), sequence.document);
  }
  std::string list;
  std::size_t named = 0;
  for (const auto& [kind, document] : documents) {
    if (named++ == kMost) return list + fmt::format(" and {} more", documents.size() - kMost);
    list += (list.empty() ? "" : ", ") + corpus.of_kind(kind).origin(document);
  }
  return list;
}

}  // namespace surprisal
