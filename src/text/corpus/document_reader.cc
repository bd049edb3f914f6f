#include "text/corpus/document_reader.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/corpus/corpus_files.h"
#include "text/corpus/sentences.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr std::uint64_t kMostDocumentBytes = kMostLineBytes;

}  // namespace

DocumentReader::DocumentReader(const std::vector<std::string>& files, const CorpusOptions& options)
    : files_(files),
      records_(options),
      reads_text_(options.records.reads(DocumentKind::text)),
      reads_pairs_(options.records.reads(DocumentKind::pair)),
      invalid_(invalid_text_policy(options.invalid_utf8)),
      text_end_(options.document == "line"   ? End::line
                : options.document == "file" ? End::file
                                             : End::blank_line),
      end_(text_end_) {}

bool DocumentReader::open_next() {
  close();
  if (file_ == files_.size()) return false;
  CorpusFileKind kind = find_corpus_file_kind(files_[file_]).value();
  end_ = kind.records ? End::record : reads_text_ || !reads_pairs_ ? text_end_ : End::pair;
  if (!kind.records && !reads_text_ && !reads_pairs_) {
    throw Error(ErrorKind::data, {.what = "the file holds texts, and nothing here reads one",
                                  .where = files_[file_],
                                  .expected = "records: a .jsonl file"});
  }
  lines_.emplace(files_[file_++], kind.compression, invalid_);
  return true;
}

void DocumentReader::close() {
  if (!lines_) return;
  finished_ += lines_->position();
  skips_.replaced += lines_->replaced();
  (end_ == End::record ? skips_.skipped_records : skips_.skipped_lines) += lines_->skipped();
  lines_.reset();
}

bool DocumentReader::next(Document& document) {
  while (lines_ || open_next()) {
    document = Document{};
    document.file = file_ - 1;
    bool found = end_ == End::record ? next_record(document)
                 : end_ == End::pair ? next_pair_line(document)
                                     : next_in_file(document);
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
  if (document.text.size() <= kMostDocumentBytes) return;
  throw Error(ErrorKind::data,
              {.what = fmt::format("a document of more than {} MiB", kMostDocumentBytes >> 20),
               .where = lines_->path() + ":" + std::to_string(document.line),
               .fix = "cut the text into documents (data.document)"});
}

bool DocumentReader::next_record(Document& document) {
  while (lines_->next(line_)) {
    if (is_blank(line_)) continue;
    if (!accept_escapes(line_)) {
      ++skips_.skipped_records;
      continue;
    }
    records_.read(line_, lines_->where(), document);
    document.line = lines_->number();
    if (document.kind != DocumentKind::text || !is_blank(document.text)) return true;
    ++skips_.blank_records;
  }
  return false;
}

// Where pairs are read and texts are not, the lines of a text file are pairs.
bool DocumentReader::next_pair_line(Document& document) {
  while (lines_->next(line_)) {
    if (is_blank(line_)) continue;
    records_.read_pair_line(line_, lines_->where(), document);
    document.line = lines_->number();
    return true;
  }
  return false;
}

// False where the record is to be left out for half a surrogate pair.
bool DocumentReader::accept_escapes(std::string& record) {
  std::size_t lone = find_lone_surrogate(record);
  if (lone == std::string::npos) return true;
  if (invalid_ == InvalidText::replace) skips_.replaced += replace_lone_surrogates(record);
  if (invalid_ != InvalidText::error) return invalid_ == InvalidText::replace;
  throw Error(ErrorKind::data, {.what = fmt::format("{} is half a surrogate pair and no character",
                                                    std::string_view(record).substr(lone, 6)),
                                .where = fmt::format("{}, byte {}", lines_->where(), lone),
                                .fix = "write the file anew, or set data.invalid_utf8 to replace or skip"});
}

void cut_document(Document& document, const CorpusOptions& options) {
  if (document.kind != DocumentKind::text) return;
  if (options.sentence == "split") document.text = join_lines(document.text);
  document.sentences = find_sentences(document.text, options.sentence != "line");
}

}  // namespace surprisal
