// A family is data: config.json <-> ModelConfig, and Hugging Face tensor names <-> our parameters. To add
// one: a file in families/ and a row in the table of family.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "surprisal/error.h"

#include "core/json.h"
#include "model/config.h"
#include "model/parameter.h"

namespace surprisal {

// A stored tensor and the place of ours that it fills: rows [row_begin, row_end) of the parameter's first
// axis, stored as they are, transposed (GPT-2's Conv1D) or with the rows of each head together: ours are
// [query, key, value][head][row of the head], those of GLM-130B [head][query, key, value][row of the head].
struct Binding {
  std::string stored;  // the name that `transformers` writes today
  int parameter = 0;   // index into ParameterTable::parameters
  std::int64_t row_begin = 0, row_end = 0;
  bool transposed = false;
  std::int64_t heads = 0;  // that are stored together; 0: the rows lie as ours do
  std::vector<std::int64_t> stored_shape(const ParameterTable& table) const;
};

// A tensor that some files hold a second time because the model uses it in two places, or instead of the
// first. Both are there: the two are equal, or the file is refused.
struct SharedTensor {
  std::string copy, of;
  bool equal = true;  // false: nothing reads the copy where the first is there
};

// The head of a classifier in this family, where it has one: a projection of a row, behind a pooler or not.
struct ClassifierHead {
  std::string architecture = {};             // "BertForSequenceClassification"
  std::string pooler = {};                   // stored name of the dense layer before the tanh; empty: none
  std::string projection = {};               // "classifier"
  bool bias = true;                          // of the projection
  bool dropout = true;                       // of what the projection reads ...
  bool pooler_dropout = false;               // ... and of what the pooler reads
  std::optional<double> usual_dropout = {};  // where the configuration says nothing; absent: hidden_dropout
};

struct Family {
  std::string name;          // config.json's model_type
  std::string architecture;  // its "architectures" entry
  bool decoder = false;      // everywhere else its rows see only what stands before them
  bool any_sight = false;    // everywhere else its rows see what its objective says (GLM)
  // What fills a blank is put into the text, which is read anew for the next (GLM-130B's own program); else
  // it stays a piece behind the text (GLM's).
  bool substitutes_blanks = false;
  bool in_transformers = true;  // `transformers` has the architecture
  bool sentence_head = false;   // there is a pooler and a sentence head that it may have
  ClassifierHead sequence_classifier = {}, token_classifier = {};
  std::string prefix = {};  // "bert.": before the names of the body, the model without its heads
  // What the names of the body begin with behind the prefix, which files of a bare body lack.
  std::vector<std::string> body = {};
  std::string outer_prefix = {};  // "glm.": before every name in some files; ours are written without it
  // Reads config.json. Throws Error (data): a key missing, out of range, or one that would change the
  // mathematics and is not supported, by name.
  ModelConfig (*read_config)(const Json& config, const std::string& where);
  OrderedJson (*write_config)(const ModelConfig& config);
  // A new model of this family.
  ModelConfig (*from_options)(const ModelOptions& options, const ModelVocabulary& vocabulary,
                              std::int64_t sequence_length);
  std::vector<Binding> (*bindings)(const ModelConfig& config, const ParameterTable& table);
  // What is passed over: buffers, which hold no weights (masks, position ids), and tensors of no model that
  // published files carry along. The name is current_name()'s.
  bool (*buffer)(std::string_view name);
  std::vector<SharedTensor> (*shared)(const ModelConfig& config);
};

// The name that `transformers` gives a stored tensor today: with the prefix of the body and without the outer
// one, and weight and bias where files converted from TensorFlow say gamma and beta.
std::string current_name(const Family& family, std::string_view stored);

// Whether a tensor (of a current name) belongs to what is put on the body for a task.
bool is_of_head(const Family& family, std::string_view name);

// Gives `config` the optional heads of which `stored` (current names, sorted) has tensors, and no other.
void fit_heads(const Family& family, const std::vector<std::string>& stored, ModelConfig& config);

// Gives `config` a pooler and a sentence head. Throws Error (usage) where its family has none.
void add_sentence_head(std::int64_t classes, ModelConfig& config);

// What a model of this family has for a task; null: nothing, as for language modelling.
const ClassifierHead* classifier_of(const Family& family, Task task);

// Whether a stored tensor (of a current name) is one of the classifier's own: its projection, and its pooler
// where that is no part of the body, as BERT's is.
bool is_of_classifier(const Family& family, Task task, std::string_view name);

// Puts a classifier in place of the heads that `config` has: of as many classes as there are names, or, of a
// regression, for one number. Throws Error (usage) where its family has none.
void set_classifier(Task task, std::vector<std::string> class_names, bool regression, ModelConfig& config);

// Takes a classifier away: the heads are those of a language model again.
void remove_classifier(ModelConfig& config);

// Throws Error of `kind` naming the families that there are.
const Family& find_family(const std::string& model_type, const std::string& where,
                          ErrorKind kind = ErrorKind::data);
std::vector<std::string> family_names();

// Range checks that hold for every family: positive sizes, heads that divide the width ... Throws Error of
// `kind`.
void check_config(const ModelConfig& config, ErrorKind kind, const std::string& where);

}  // namespace surprisal
