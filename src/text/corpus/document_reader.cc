#include "text/corpus/document_reader.h"

#include <filesystem>
#include <limits>
#include <string_view>
#include <system_error>

#include "surprisal/error.h"

#include "core/json.h"
#include "text/corpus/sentences.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

Error directory_error(const std::string& path) {
  return Error(ErrorKind::io, {.what = "cannot read: is a directory", .where = path, .expected = "a file"});
}

constexpr std::uint64_t kMaxDocumentBytes = std::numeric_limits<std::uint32_t>::max();

bool ends_with(std::string_view path, std::string_view ending) {
  if (path.size() < ending.size()) return false;
  std::string_view tail = path.substr(path.size() - ending.size());
  for (std::size_t i = 0; i < ending.size(); ++i) {
    char c = tail[i] >= 'A' && tail[i] <= 'Z' ? static_cast<char>(tail[i] - 'A' + 'a') : tail[i];
    if (c != ending[i]) return false;
  }
  return true;
}

std::uint64_t checked_size(const std::string& path) {
  std::error_code cause;
  auto status = std::filesystem::status(path, cause);
  if (!std::filesystem::exists(status)) {
    throw Error(ErrorKind::io, {.what = "cannot open: no such file", .where = path});
  }
  if (std::filesystem::is_directory(status)) {
    throw directory_error(path);
  }
  if (!std::filesystem::is_regular_file(status)) return 0;  // a pipe tells its size by its end
  std::uint64_t size = std::filesystem::file_size(path, cause);
  if (!cause && size == 0) throw Error(ErrorKind::data, {.what = "the file is empty", .where = path});
  return cause ? 0 : size;
}

std::string record_text(const std::string& line, const std::string& where) {
  Json record = parse_json(line, where);
  if (!record.is_object()) {
    throw Error(ErrorKind::data, {.what = "the record is no JSON object",
                                  .where = where,
                                  .expected = "an object with a field \"text\""});
  }
  return get_string(record, "text", where);
}

}  // namespace

CorpusFileKind corpus_file_kind(const std::string& path) {
  if (ends_with(path, ".txt")) return CorpusFileKind::text;
  if (ends_with(path, ".txt.gz")) return CorpusFileKind::text_gzip;
  if (ends_with(path, ".jsonl")) return CorpusFileKind::jsonl;
  if (ends_with(path, ".jsonl.gz")) return CorpusFileKind::jsonl_gzip;
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) throw directory_error(path);
  throw Error(ErrorKind::data, {.what = "not a kind of text file that is known by its name",
                                .where = path,
                                .expected = ".txt, .jsonl, .txt.gz or .jsonl.gz"});
}

std::uint64_t check_corpus_files(const std::vector<std::string>& files) {
  if (files.empty()) throw Error(ErrorKind::usage, {.what = "no text file is given"});
  for (const std::string& path : files) corpus_file_kind(path);
  std::uint64_t total = 0;
  for (const std::string& path : files) total += checked_size(path);
  return total;
}

DocumentReader::DocumentReader(const std::vector<std::string>& files, const CorpusOptions& options)
    : files_(files),
      text_end_(options.document == "line"   ? End::line
                : options.document == "file" ? End::file
                                             : End::blank_line),
      end_(text_end_) {}

bool DocumentReader::open_next() {
  if (lines_) finished_ += lines_->position();
  lines_.reset();
  if (file_ == files_.size()) return false;
  CorpusFileKind kind = corpus_file_kind(files_[file_]);
  bool records = kind == CorpusFileKind::jsonl || kind == CorpusFileKind::jsonl_gzip;
  bool compressed = kind == CorpusFileKind::text_gzip || kind == CorpusFileKind::jsonl_gzip;
  end_ = records ? End::record : text_end_;
  lines_.emplace(files_[file_++], compressed);
  return true;
}

bool DocumentReader::next(Document& document) {
  while (lines_ || open_next()) {
    document = Document{};
    document.file = file_ - 1;
    bool found = end_ == End::record ? next_record(document) : next_in_file(document);
    if (found) return true;
    if (!open_next()) return false;
  }
  return false;
}

bool DocumentReader::next_in_file(Document& document) {
  while (lines_->next(line_)) {
    bool blank = end_ != End::file && is_blank(line_);
    if (blank && document.line > 0) return true;
    if (!blank) append_line(document);
    if (!blank && end_ == End::line) return true;
  }
  return document.line > 0 && !is_blank(document.text);
}

void DocumentReader::append_line(Document& document) {
  if (document.line > 0) document.text += '\n';
  if (document.line == 0) document.line = lines_->number();
  document.text += line_;
  if (document.text.size() <= kMaxDocumentBytes) return;
  throw Error(ErrorKind::data, {.what = "a document of more than 4 GiB",
                                .where = lines_->path() + ":" + std::to_string(document.line),
                                .fix = "cut the text into documents (data.document)"});
}

bool DocumentReader::next_record(Document& document) {
  while (lines_->next(line_)) {
    if (is_blank(line_)) continue;
    document.text = record_text(line_, lines_->where());
    document.line = lines_->number();
    if (!is_blank(document.text)) return true;
  }
  return false;
}

void cut_document(Document& document, const CorpusOptions& options) {
  if (options.sentence == "split") document.text = join_lines(document.text);
  document.sentences = find_sentences(document.text, options.sentence != "line");
}

}  // namespace surprisal
