#include "store/merge_shards.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

#include "surprisal/error.h"

#include "store/safetensors_header.h"

namespace surprisal {
namespace {

using Bytes = std::span<const std::byte>;
using Parts = std::vector<const StoredTensor*>;  // one a rank

// Held at a time, of what is read and of what is written.
constexpr std::size_t kPiece = std::size_t{16} << 20;

[[noreturn]] void refuse(const SafetensorsFile& file, std::string what, std::string found = "",
                         std::string expected = "") {
  throw Error(ErrorKind::data, {.what = std::move(what),
                                .where = file.path().string(),
                                .found = std::move(found),
                                .expected = std::move(expected)});
}

void copy(Bytes from, const BytesToWrite::Sink& sink) {
  while (!from.empty()) {
    const Bytes piece = from.first(std::min(from.size(), kPiece));
    sink(piece);
    release(piece);
    from = from.subspan(piece.size());
  }
}

// Rows of `width` bytes, side by side.
void copy_columns(const Parts& parts, std::size_t rows, const BytesToWrite::Sink& sink) {
  const std::size_t width = rows == 0 ? 0 : parts.front()->bytes.size() / rows;
  const std::size_t whole = width * parts.size();
  const std::size_t step = std::max<std::size_t>(1, kPiece / std::max<std::size_t>(whole, 1));
  std::vector<std::byte> block;
  for (std::size_t begin = 0; begin < rows; begin += step) {
    const std::size_t count = std::min(step, rows - begin);
    block.resize(count * whole);
    for (std::size_t rank = 0; rank < parts.size(); ++rank) {
      const Bytes from = parts[rank]->bytes.subspan(begin * width, count * width);
      for (std::size_t row = 0; row < count; ++row) {
        std::memcpy(block.data() + row * whole + rank * width, from.data() + row * width, width);
      }
      release(from);
    }
    sink(block);
  }
}

void produce(Split split, const Parts& parts, const BytesToWrite::Sink& sink) {
  switch (split) {
    case Split::replicated:
      return copy(parts.front()->bytes, sink);
    case Split::rows:
      for (const StoredTensor* part : parts) copy(part->bytes, sink);
      return;
    case Split::columns:
      return copy_columns(parts, static_cast<std::size_t>(parts.front()->shape[0]), sink);
    case Split::gated_rows:
      for (const bool second : {false, true}) {
        for (const StoredTensor* part : parts) {
          const std::size_t half = part->bytes.size() / 2;
          copy(part->bytes.subspan(second ? half : 0, half), sink);
        }
      }
      return;
    case Split::unread:
      return;
  }
}

std::vector<std::int64_t> merged_shape(Split split, const Parts& parts) {
  std::vector<std::int64_t> shape = parts.front()->shape;
  if (split == Split::replicated) return shape;
  shape[split == Split::columns ? 1 : 0] *= std::ssize(parts);
  return shape;
}

bool same_bytes(Bytes a, Bytes b) {
  const bool same = a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
  release(a);
  release(b);
  return same;
}

// The tensor `first` of the first shard in all of them.
Parts find_parts(const std::vector<SafetensorsFile>& shards, const StoredTensor& first, Split split) {
  Parts parts;
  for (const SafetensorsFile& shard : shards) {
    const StoredTensor* part = shard.find(first.name);
    if (part == nullptr) {
      refuse(shard, "tensor " + quoted_name(first.name) + " is missing", "",
             "it, as " + shards.front().path().string() + " has it");
    }
    if (part->shape != first.shape || part->dtype != first.dtype) {
      refuse(shard, "tensor " + quoted_name(first.name) + " is not as in " + shards.front().path().string(),
             part->dtype + ' ' + shape_text(part->shape), first.dtype + ' ' + shape_text(first.shape));
    }
    if (split == Split::replicated && part != &first && !same_bytes(part->bytes, first.bytes)) {
      refuse(shard, "tensor " + quoted_name(first.name) +
                        ", which every shard has whole, differs from that of " +
                        shards.front().path().string());
    }
    parts.push_back(part);
  }
  return parts;
}

// Whether a tensor of that rank can be shared out so.
void check_rank(const SafetensorsFile& shard, const StoredTensor& tensor, Split split) {
  const std::size_t rank = tensor.shape.size();
  const bool good = split == Split::replicated || split == Split::unread ||
                    (split == Split::columns ? rank == 2 : rank >= 1 && rank <= 2);
  const bool even = split != Split::gated_rows || !good || tensor.shape[0] % 2 == 0;
  if (good && even) return;
  refuse(shard, "tensor " + quoted_name(tensor.name) + " has a wrong shape", shape_text(tensor.shape),
         split == Split::columns ? "a matrix"
         : split == Split::rows  ? "rows"
                                 : "an even number of rows");
}

void check_no_more(const std::vector<SafetensorsFile>& shards) {
  for (const SafetensorsFile& shard : shards) {
    for (const StoredTensor& tensor : shard.tensors()) {
      if (shards.front().find(tensor.name) != nullptr) continue;
      refuse(shards.front(), "tensor " + quoted_name(tensor.name) + " is missing", "",
             "it, as " + shard.path().string() + " has it");
    }
  }
}

}  // namespace

void release(std::span<const std::byte> mapped) {
  if (mapped.empty()) return;
  const std::uintptr_t page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(mapped.data()) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(mapped.data() + mapped.size());
  // Read-only pages of a file: they come back from it when they are read. Failing costs memory alone.
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

std::vector<BytesToWrite> merge_shards(const std::vector<SafetensorsFile>& shards,
                                       const std::function<Split(std::string_view name)>& split) {
  check_no_more(shards);
  std::vector<BytesToWrite> merged;
  for (const StoredTensor& first : shards.front().tensors()) {
    const Split how = split(first.name);
    if (how == Split::unread) continue;
    check_rank(shards.front(), first, how);
    Parts parts = find_parts(shards, first, how);
    const std::int64_t parts_merged = how == Split::replicated ? 1 : std::ssize(parts);
    merged.push_back({first.name, first.dtype, merged_shape(how, parts),
                      static_cast<std::int64_t>(first.bytes.size()) * parts_merged,
                      [how, parts](const BytesToWrite::Sink& sink) { produce(how, parts, sink); }});
  }
  return merged;
}

}  // namespace surprisal
