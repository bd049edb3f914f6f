#include "text/corpus/token_file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <cstring>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

constexpr std::size_t kBufferedWords = 1 << 18;
constexpr std::size_t kBufferedRecords = 1 << 14;
constexpr std::uint64_t kMagic = 0x4B4F544C52505253;  // "SRPRLTOK"

struct Trailer {
  std::uint64_t magic = kMagic;
  std::uint32_t version = kTokenFileVersion;
  std::uint32_t record_size = sizeof(TokenRecord);
  std::uint64_t words = 0;
  TokenTotals totals;
  CorpusSkips skips;
  ContentHash key;         // of what decided the content
  ContentHash content;     // of every byte before the trailer
  std::uint64_t hash = 0;  // of the trailer before this field
};
static_assert(sizeof(Trailer) == 136);

std::uint64_t hash_trailer(const Trailer& trailer) {
  return XXH3_64bits(&trailer, offsetof(Trailer, hash));
}

template <class Element>
std::string_view bytes_of(const std::vector<Element>& elements) {
  return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(Element)};
}

std::uint64_t padding_of(std::uint64_t words) {
  return words % 2 * sizeof(std::uint32_t);
}

// Names of temporary files tell the machine and the process that writes them: ".NAME.MACHINE.PROCESS.N.tmp".
std::string temporary_prefix(const std::filesystem::path& path) {
  char machine[HOST_NAME_MAX + 1] = "";
  gethostname(machine, HOST_NAME_MAX);
  return fmt::format(".{}.{}.", path.filename().string(), machine);
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// A name beside `path` that no other thread or process uses.
std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> counter{0};
  return directory_of(path) / fmt::format("{}{}.{}.tmp", temporary_prefix(path), getpid(), counter++);
}

bool is_running(std::string_view name, std::size_t prefix) {
  pid_t process = 0;
  auto [end, error] = std::from_chars(name.data() + prefix, name.data() + name.size(), process);
  return error != std::errc() || process <= 0 || kill(process, 0) == 0 || errno != ESRCH;
}

// Removes what killed processes of this machine left beside `path`: the destructor of a writer does not run
// then, and a corpus may be large.
void remove_leftovers(const std::filesystem::path& path) {
  std::string prefix = temporary_prefix(path);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory_of(path), ignored)) {
    std::string name = entry.path().filename();
    if (name.starts_with(prefix) && !is_running(name, prefix.size()))
      std::filesystem::remove(entry.path(), ignored);
  }
}

std::filesystem::path with_suffix(std::filesystem::path path, const char* suffix) {
  path += suffix;
  return path;
}

std::optional<Trailer> read_trailer(std::string_view bytes, const ContentHash& key) {
  Trailer trailer;
  if (bytes.size() < sizeof trailer) return {};
  std::memcpy(&trailer, bytes.data() + bytes.size() - sizeof trailer, sizeof trailer);
  bool known = trailer.magic == kMagic && trailer.version == kTokenFileVersion &&
               trailer.record_size == sizeof(TokenRecord) && trailer.hash == hash_trailer(trailer) &&
               trailer.key == key;
  // Below 2^56 no product or sum overflows.
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 56;
  if (!known || trailer.words >= kLimit || trailer.totals.documents >= kLimit) return {};
  std::uint64_t size = trailer.words * sizeof(std::uint32_t) + padding_of(trailer.words) +
                       trailer.totals.documents * sizeof(TokenRecord) + sizeof trailer;
  if (size != bytes.size()) return {};
  return trailer;
}

bool has_parts(const TokenRecord& record) {
  switch (record.kind) {
    case DocumentKind::text:
      return record.sentences > 0 && record.label == 0 && record.marks == 0 && record.labels == 0;
    case DocumentKind::pair:
      return record.sentences > 0 && record.sentences % 2 == 0 && record.label == 0 && record.labels == 0;
    case DocumentKind::choice:
      return record.sentences > 2 && record.marks == 0 && record.label < record.sentences - 1 &&
             record.labels == 0;
    case DocumentKind::labelled:
      return record.sentences > 0 && record.label == 0 && record.marks == 0 &&
             (record.labels <= 1 || record.labels == record.sentences);
  }
  return false;
}

bool is_sound(const TokenRecord& record, std::uint64_t words, std::size_t files) {
  return has_parts(record) && record.tokens > 0 && record.file < files && record.begin <= words &&
         std::uint64_t{record.tokens} + record.sentences + record.labels <= words - record.begin;
}

std::optional<MappedFile> map_if_readable(const std::filesystem::path& path) {
  try {
    return MappedFile(path);
  } catch (const Error&) {
    return {};  // making it anew says what is wrong with the place, if anything is
  }
}

}  // namespace

TokenRecord EncodedDocument::record(std::uint64_t begin) const {
  return {.begin = begin,
          .bytes = bytes,
          .line = line,
          .tokens = static_cast<std::uint32_t>(tokens.size()),
          .sentences = static_cast<std::uint32_t>(sentences.size()),
          .labels = static_cast<std::uint32_t>(labels.size()),
          .file = file,
          .kind = kind,
          .marks = marks,
          .label = label};
}

TokenFileWriter::TokenFileWriter(const std::filesystem::path& path)
    : path_(path),
      temporary_(temporary_name(path)),
      record_path_(with_suffix(temporary_, ".records")),
      file_((remove_leftovers(path), temporary_)),
      record_file_(record_path_) {}

void TokenFileWriter::add(const EncodedDocument& document) {
  TokenRecord record = document.record(word_count_);
  words_.insert(words_.end(), document.tokens.begin(), document.tokens.end());
  words_.insert(words_.end(), document.sentences.begin(), document.sentences.end());
  words_.insert(words_.end(), document.labels.begin(), document.labels.end());
  word_count_ += document.tokens.size() + document.sentences.size() + document.labels.size();
  records_.push_back(record);
  totals_.add(record);
  if (words_.size() >= kBufferedWords) flush_words();
  if (records_.size() >= kBufferedRecords) {
    record_file_.write(bytes_of(records_));
    records_.clear();
  }
}

void TokenFileWriter::write(std::string_view bytes) {
  hasher_.add(bytes);
  file_.write(bytes);
}

void TokenFileWriter::flush_words() {
  write(bytes_of(words_));
  words_.clear();
}

void TokenFileWriter::append_records() {
  if (record_file_.written() > 0) write(MappedFile(record_path_).text());
  write(bytes_of(records_));
}

void TokenFileWriter::commit(const ContentHash& key, const CorpusSkips& skips) {
  flush_words();
  write(std::string_view("\0\0\0\0", padding_of(word_count_)));
  append_records();
  Trailer trailer;
  trailer.words = word_count_;
  trailer.totals = totals_;
  trailer.skips = skips;
  trailer.key = key;
  trailer.content = hasher_.finish();
  trailer.hash = hash_trailer(trailer);
  file_.write({reinterpret_cast<const char*>(&trailer), sizeof trailer});
  file_.commit();
  std::error_code cause;
  std::filesystem::rename(temporary_, path_, cause);
  if (cause) {
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
    throw Error(ErrorKind::io, {.what = "cannot rename to it: " + cause.message(), .where = path_.string()});
  }
  sync_directory(directory_of(path_));
}

std::optional<TokenFile> TokenFile::open(const std::filesystem::path& path, const ContentHash& key,
                                         std::size_t files) {
  std::optional<MappedFile> mapped = map_if_readable(path);
  if (!mapped) return {};
  std::optional<Trailer> trailer = read_trailer(mapped->text(), key);
  if (!trailer) return {};
  ContentHasher hasher;
  hasher.add(mapped->text().substr(0, mapped->size() - sizeof(Trailer)));
  if (hasher.finish() != trailer->content) return {};
  const std::byte* data = mapped->bytes().data();
  std::size_t record_offset = trailer->words * sizeof(std::uint32_t) + padding_of(trailer->words);
  TokenFile result{
      .file = std::move(*mapped),
      .words = {reinterpret_cast<const std::uint32_t*>(data), trailer->words},
      .records = {reinterpret_cast<const TokenRecord*>(data + record_offset), trailer->totals.documents},
      .totals = trailer->totals,
      .skips = trailer->skips};
  bool sound = std::all_of(result.records.begin(), result.records.end(), [&](const TokenRecord& record) {
    return is_sound(record, trailer->words, files);
  });
  if (!sound) return {};
  return result;
}

}  // namespace surprisal
