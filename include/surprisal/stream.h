// A stream: several sequences laid end to end, and everything that an objective says about them (DESIGN.md
// section 2). Plain data; there is no batch dimension and no padding. N tokens, T targets, S labels.
#pragma once

#include <cstdint>
#include <vector>

namespace surprisal {

// A half-open range [begin, end): of stream rows whose keys a row may attend to (begin == end: it sees
// nothing), or of targets.
struct Interval {
  std::int32_t begin = 0;
  std::int32_t end = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

// A row that the vocabulary head scores, and the right answer. The loss is weight * -log p(id | what the row
// sees).
struct Target {
  std::int32_t row = 0;
  std::int32_t id = 0;
  float weight = 1;
  friend bool operator==(const Target&, const Target&) = default;
};

// A row that the sentence head scores, and the right class. Of a regression, whose one class is 0: the right
// number, and the loss is weight * (number - what the head says)^2.
struct Label {
  std::int32_t row = 0;
  std::int32_t cls = 0;
  float weight = 1;
  float value = 0;
  friend bool operator==(const Label&, const Label&) = default;
};

// Options of which one is right. An option is a range of targets, and its surprisal s_k the sum of their
// weight * -log p; the loss is weight * (s_answer + log sum_k exp(-s_k)), the surprisal of the answer under
// the softmax of -s. These targets have no loss of their own. Where every option is one target of one row,
// that is the softmax over the options' logits.
struct Choice {
  std::vector<Interval> option{};  // of targets, by ascending begin
  std::int32_t answer = 0;         // index of the right option
  float weight = 1;
  friend bool operator==(const Choice&, const Choice&) = default;
};

// Where a sequence stands in the stream, and where it came from.
struct Sequence {
  std::int32_t begin = 0;    // first row
  std::int32_t end = 0;      // one past the last row
  std::uint64_t sample = 0;  // key of the sample: two sequences with one key get the same random numbers
  std::uint32_t epoch = 0;
  std::int32_t part = 0;  // which part of a mixture ('|') made it
  // Index of the document in the corpus, among those of its kind; for reports and error messages.
  std::uint64_t document = 0;
  friend bool operator==(const Sequence&, const Sequence&) = default;
};

struct Stream {
  std::vector<std::int32_t> token;           // [N] input ids, after masking or corruption
  std::vector<std::int32_t> position;        // [N] from 0 in each sequence, for every family
  std::vector<std::int32_t> block_position;  // [N] GLM's second position; 0 elsewhere
  std::vector<std::int32_t> segment;         // [N] sentence A or B
  std::vector<Interval> visible;             // [N]
  std::vector<Target> target;                // [T] sequence by sequence, in any order within one
  std::vector<Label> label;                  // [S] likewise
  std::vector<Choice> choice;                // by ascending target
  std::vector<Sequence> sequence;            // by ascending begin; together they cover [0, N)

  std::int32_t size() const { return static_cast<std::int32_t>(token.size()); }
  bool empty() const { return token.empty(); }
  void clear();
  friend bool operator==(const Stream&, const Stream&) = default;
};

}  // namespace surprisal
