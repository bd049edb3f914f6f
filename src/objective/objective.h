// What an objective is: a pure integer function from a document's token ids to one sequence of a stream. It
// knows nothing of tensors. To add one: a file <name>.{h,cc} here, a row in registry.cc, a page in
// docs/objectives/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "surprisal/stream.h"
#include "surprisal/tokenizer.h"

#include "core/random.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

// Names one sample: rebuilt alone from this and the corpus, on any rank, after any resume.
struct SampleKey {
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
  std::uint64_t document = 0;
  std::uint32_t index = 0;                 // of the sample within its document, below 2^24
  DocumentKind kind = DocumentKind::text;  // of the document, which is one of those of its kind
  // How far the run is, in [0, 1]: what schedules go by. It decides which rows are predicted and what stands
  // in them, never how many rows a sample has or whether it has a target. Evaluation is at the end.
  double progress = 1;

  std::uint64_t sample() const { return source() | document << 24 | index; }
  std::uint64_t source() const { return std::uint64_t{static_cast<std::uint8_t>(kind)} << 62; }
  // Numbers of this sample, and of its document in this epoch (what is drawn once a pass).
  Random random(Purpose purpose) const { return Random({seed, sample(), epoch, purpose}); }
  Random document_random(Purpose purpose) const {
    return Random({seed, source() | document << 24 | 0xFFFFFF, epoch, purpose});
  }
};

// Of the document that a sequence was made of: Sequence::document is one of those of its kind.
inline DocumentKind kind_of(const Sequence& sequence) {
  return static_cast<DocumentKind>(sequence.sample >> 62);
}

// What counts: targets and choices, which the vocabulary head scores, or labels, which the sentence head
// scores.
enum class ObjectiveKind { tokens, labels, choices };

// What an objective over labels trains where that is a classifier in place of the vocabulary head: of texts,
// of a text's number, of words. Else the sentence head, which stands beside it.
enum class Classifier { none, text, number, word };

struct ObjectiveTraits {
  std::string_view name;
  ObjectiveKind kind = ObjectiveKind::tokens;
  DocumentKind reads = DocumentKind::text;  // documents that its samples are made of
  // Whether a pass predicts every token of a document exactly once, its end too: bits per byte are defined.
  bool covers_text = false;
  bool decoder = false;       // rows see what was read before them and nothing else: text can be generated
  bool own_sight = false;     // neither that, nor do all rows see the whole sequence
  std::int32_t classes = 0;   // of a label objective
  std::int32_t segments = 1;  // that its sequences tell apart
  Classifier classifier = Classifier::none;
  // Of a token objective: it can act on a sequence that a label objective laid out (`mlm + nsp`), by join().
  bool joins_labels = false;
};

// Bounds of an objective's samples, for memory and for the tables of a model.
struct SampleExtent {
  std::int64_t rows = 0;             // of one sample
  std::int64_t positions = 0;        // position < positions
  std::int64_t block_positions = 1;  // likewise
};

// The largest sample of a corpus: its rows, or its targets where these are more.
struct LargestSample {
  std::int64_t rows = 0;
  std::uint64_t document = 0;  // that it is made of
};

// Of a corpus, where an objective can tell without making its samples.
struct TargetCount {
  std::uint64_t samples = 0, rows = 0, targets = 0;
};

// What to tell people of a sample besides its arrays.
struct SampleNotes {
  std::vector<std::string> lines;  // of the whole
  std::vector<std::string> rows;   // of each row, or empty
};

class Objective {
 public:
  virtual ~Objective() = default;
  virtual const ObjectiveTraits& traits() const = 0;

  // Of a label objective: what its classes are called; of a regression none.
  virtual std::vector<std::string> class_names() const;

  // Fills the empty `sample` with the one sequence of `key`'s sample that begins at token `cursor` of its
  // document, one of `corpus`, which holds those of the kind that it reads; rows count from 0, and
  // sample.sequence holds one entry. Returns the cursor of the document's next sample, above `cursor`; the
  // document's size where this was the last.
  virtual std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                             Stream& sample) const = 0;

  // No sample at this sequence length goes beyond it.
  virtual SampleExtent extent(std::int64_t sequence_length) const;

  // Of an objective whose samples have as many sequences as their documents ask for: extent() is then that of
  // one sequence. Elsewhere 0 rows: extent() says all there is to say. Throws Error (data) naming a document
  // of which no sample can be made.
  virtual LargestSample largest_sample(const TokenCorpus& corpus) const;

  // Samples of one group alone share a pack. 0 unless an objective keeps kinds of its samples apart.
  virtual std::int32_t group(const SampleKey& key) const;

  // Of a sample that build() made of `key`.
  virtual SampleNotes notes(const SampleKey& key, const Stream& sample) const;

  // Where traits().joins_labels: changes tokens of `sample`, which a label objective laid out, and adds
  // targets.
  virtual void join(const SampleKey& key, Stream& sample) const;

  // What to tell people of the documents before they are used: how many are longer than a sequence holds.
  virtual std::vector<std::string> remarks(const TokenCorpus& documents) const;

  // How much of the documents is scored in an epoch. No sample: that cannot be told beforehand.
  virtual TargetCount count_targets(const TokenCorpus& documents) const;

  // Throws Error (data) where no sample can be made of the corpus at all (nsp needs two documents).
  virtual void check_corpus(const TokenCorpus& corpus) const;
};

}  // namespace surprisal
