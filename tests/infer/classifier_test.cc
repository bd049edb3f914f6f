// Classifiers scored and asked, against what the model says of streams written by hand.
#include <cmath>
#include <fstream>

#include "infer/evaluate.h"
#include "infer/limits.h"
#include "infer/metrics.h"
#include "infer/predict_labels.h"
#include "infer/record_scorer.h"
#include "infer/score.h"
#include "model/family.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "tests/infer/tiny_language.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using Ids = std::vector<std::int32_t>;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kPositions = 32, kRows = 200;
const std::vector<std::string> kNames{"no", "maybe", "yes"};

std::unique_ptr<Transformer> classifier(const char* family, Task task, std::vector<std::string> names) {
  ModelConfig config = tiny_config(family, 100, kPositions);
  const bool regression = names.size() == 1;
  set_classifier(task, std::move(names), regression, config);
  config.head_dropout = 0;
  return tiny_model(config, Mode::evaluate, kRows);
}

const std::string kTexts =
    "{\"text\": \"w11 w12 w13\", \"label\": \"yes\"}\n{\"text\": \"w14\", \"label\": 0}\n"
    "{\"text\": \"w15 w16\", \"label\": \"maybe\"}\n{\"text\": \"w17 w18 w19 w20\", \"label\": \"no\"}\n";
const std::vector<Ids> kTokens{{11, 12, 13}, {14}, {15, 16}, {17, 18, 19, 20}};
const Ids kRight{2, 0, 1, 0};

class Classifiers : public testing::Test {
 protected:
  ScoreOptions options(const std::string& rule, std::int64_t pack = 24) const {
    return {.rule = rule, .sequence_length = 16, .pack_tokens = pack};
  }
  TokenCorpus open(const RecordScorer& scorer, const std::string& lines, bool labels = true) const {
    const std::filesystem::path path = directory_ / "records.jsonl";
    std::ofstream(path) << lines;
    return TokenCorpus::open({path}, {.records = scorer.records(labels)}, tokenizer_, {});
  }
  Score score_lines(Transformer& model, const ScoreOptions& how, const std::string& lines) const {
    const RecordScorer scorer(how.rule, model.config(), tokenizer_, how);
    return score(model, tokenizer_, open(scorer, lines), how);
  }
  std::vector<LabelPrediction> predict(Transformer& model, const std::string& rule, const std::string& lines,
                                       std::int64_t pack = 24) const {
    const ScoreOptions how = options(rule);
    const RecordScorer scorer(rule, model.config(), tokenizer_, how);
    const TokenCorpus corpus = open(scorer, lines, false);
    std::vector<LabelPrediction> predictions;
    predict_labels(model, corpus, scorer.mixture(), {.tokens = pack, .labels = pack},
                   [&](const LabelPrediction& prediction) { predictions.push_back(prediction); });
    return predictions;
  }

  TemporaryDirectory directory_;
  Tokenizer tokenizer_ = word_tokenizer();
  std::unique_ptr<Transformer> texts_ = classifier("bert", Task::sequence_classification, kNames);
  std::unique_ptr<Transformer> numbers_ = classifier("bert", Task::sequence_classification, {"LABEL_0"});
  std::unique_ptr<Transformer> words_ = classifier("bert", Task::token_classification, kNames);
};

// [CLS] text [SEP], all seen.
TermResult by_hand(Transformer& model, const Ids& text, const std::vector<Label>& labels) {
  Stream stream;
  stream.token = {kCls};
  stream.token.insert(stream.token.end(), text.begin(), text.end());
  stream.token.push_back(kSep);
  for (std::int32_t row = 0; row < stream.size(); ++row) {
    stream.position.push_back(row);
    stream.visible.push_back({0, stream.size()});
  }
  stream.block_position.assign(stream.token.size(), 0);
  stream.segment.assign(stream.token.size(), 0);
  stream.sequence.push_back({.begin = 0, .end = stream.size()});
  stream.label = labels;
  StreamResult result;
  model.evaluate(stream, result);
  return result.label;
}

double value_of(const std::vector<Metric>& metrics, const std::string& name) {
  const auto found = std::ranges::find(metrics, name, &Metric::name);
  EXPECT_NE(found, metrics.end()) << name;
  return found == metrics.end() ? std::nan("") : found->value;
}

TEST_F(Classifiers, TextsAreScoredAsByHand) {
  double nats = 0, right = 0;
  Ids predicted;
  for (std::size_t i = 0; i < kTokens.size(); ++i) {
    const TermResult alone = by_hand(*texts_, kTokens[i], {{0, kRight[i], 1}});
    nats += alone.surprisal[0];
    predicted.push_back(alone.predicted[0]);
    right += alone.predicted[0] == kRight[i];
  }
  const Score found = score_lines(*texts_, options("classification"), kTexts);
  EXPECT_EQ(found.rule, "classification");
  EXPECT_NEAR(found.nats, nats, 1e-5);
  EXPECT_EQ(found.labels, 4u);
  EXPECT_EQ(found.documents, 4u);
  EXPECT_EQ(found.tokens, 0u);
  EXPECT_DOUBLE_EQ(found.accuracy.value(), right / 4);
  EXPECT_DOUBLE_EQ(value_of(found.metrics, "macro_f1"), macro_f1(kRight, predicted));
  EXPECT_DOUBLE_EQ(value_of(found.metrics, "matthews"), matthews_correlation(kRight, predicted));
  // The rule of a classifier need not be named.
  ScoreOptions unnamed = options("");
  const RecordScorer scorer("classification", texts_->config(), tokenizer_, unnamed);
  EXPECT_EQ(score(*texts_, tokenizer_, open(scorer, kTexts), unnamed).nats, found.nats);
}

TEST_F(Classifiers, NumbersAreScoredAsByHand) {
  std::string lines;
  double squares = 0;
  const std::vector<float> right{1.5f, -0.25f, 0, 2};
  for (std::size_t i = 0; i < right.size(); ++i) {
    std::string text;
    for (std::int32_t id : kTokens[i]) text += fmt::format("w{} ", id);
    lines += fmt::format("{{\"text\": \"{}\", \"label\": {}}}\n", text, right[i]);
    const TermResult alone = by_hand(*numbers_, kTokens[i], {{0, 0, 1, right[i]}});
    const double distance = static_cast<double>(alone.value[0]) - right[i];
    squares += distance * distance;
    EXPECT_NEAR(alone.surprisal[0], distance * distance, 1e-5 * (1 + distance * distance));
  }
  const Score found = score_lines(*numbers_, options("regression"), lines);
  EXPECT_NEAR(found.nats, squares, 1e-5 * (1 + squares));
  EXPECT_EQ(found.labels, 4u);
  EXPECT_FALSE(found.accuracy.has_value());
  std::vector<double> values;
  for (const LabelPrediction& prediction : predict(*numbers_, "regression", lines)) {
    values.push_back(prediction.value);
  }
  ASSERT_EQ(values.size(), 4u);
  const std::vector<double> wanted(right.begin(), right.end());
  EXPECT_NEAR(value_of(found.metrics, "pearson"), pearson(wanted, values), 1e-5);
  EXPECT_EQ(value_of(found.metrics, "spearman"), spearman(wanted, values));
}

TEST_F(Classifiers, WordsAreScoredAsByHand) {
  const std::string lines =
      "{\"tokens\": [\"w11\", \"w12\", \"w13\"], \"tags\": [\"no\", -100, \"yes\"]}\n"
      "{\"tokens\": [\"w14\"], \"tags\": [1]}\n";
  const TermResult first = by_hand(*words_, {11, 12, 13}, {{1, 0, 1}, {3, 2, 1}}),
                   second = by_hand(*words_, {14}, {{1, 1, 1}});
  const Score found = score_lines(*words_, options("token_classification"), lines);
  EXPECT_NEAR(found.nats, first.surprisal[0] + first.surprisal[1] + second.surprisal[0], 1e-5);
  EXPECT_EQ(found.labels, 3u);
  EXPECT_EQ(found.documents, 2u);
}

// Probabilities are the whole distribution.
TEST_F(Classifiers, PredictionsAreProbabilities) {
  const auto predictions = predict(*texts_, "classification", kTexts);
  ASSERT_EQ(predictions.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const LabelPrediction& prediction = predictions[i];
    EXPECT_EQ(prediction.document, i);
    ASSERT_EQ(prediction.probability.size(), 3u);
    double sum = 0;
    for (std::int32_t cls = 0; cls < 3; ++cls) {
      const double probability = prediction.probability[static_cast<std::size_t>(cls)];
      sum += probability;
      const TermResult alone = by_hand(*texts_, kTokens[i], {{0, cls, 1}});
      EXPECT_NEAR(probability, std::exp(-static_cast<double>(alone.surprisal[0])), 1e-6);
    }
    EXPECT_NEAR(sum, 1, 1e-6);
    const auto most = std::ranges::max_element(prediction.probability) - prediction.probability.begin();
    EXPECT_THAT(prediction.classes, testing::ElementsAre(most));
  }
}

TEST_F(Classifiers, LabelsAreNotNeededToPredict) {
  const std::string without =
      "{\"text\": \"w11 w12 w13\"}\n{\"text\": \"w14\", \"label\": null}\n{\"text\": \"w15 w16\"}\n"
      "{\"text\": \"w17 w18 w19 w20\", \"label\": \"yes\"}\n";
  const auto with = predict(*texts_, "classification", kTexts),
             asked = predict(*texts_, "classification", without);
  ASSERT_EQ(asked.size(), with.size());
  for (std::size_t i = 0; i < with.size(); ++i) EXPECT_EQ(asked[i].probability, with[i].probability);
}

TEST_F(Classifiers, APackSaysWhatASequenceAloneDoes) {
  for (Transformer* model : {texts_.get(), numbers_.get()}) {
    const char* rule = model == texts_.get() ? "classification" : "regression";
    const std::string lines =
        model == texts_.get() ? kTexts : "{\"text\": \"w11 w12\"}\n{\"text\": \"w14\"}\n";
    const auto packed = predict(*model, rule, lines, 60), alone = predict(*model, rule, lines, 16);
    ASSERT_EQ(packed.size(), alone.size());
    for (std::size_t i = 0; i < packed.size(); ++i) {
      EXPECT_EQ(packed[i].document, alone[i].document);
      EXPECT_EQ(packed[i].classes, alone[i].classes);
      EXPECT_NEAR(packed[i].value, alone[i].value, 1e-5);
      for (std::size_t cls = 0; cls < packed[i].probability.size(); ++cls) {
        EXPECT_NEAR(packed[i].probability[cls], alone[i].probability[cls], 1e-6);
      }
    }
  }
}

// Whatever their labels are, all words are told: those that are not scored too.
TEST_F(Classifiers, EveryWordIsPredicted) {
  const auto predictions = predict(*words_, "token_classification",
                                   "{\"tokens\": [\"w11\", \"w12\", \"w13\"]}\n"
                                   "{\"tokens\": [\"w14\", \"w15\"], \"tags\": [-100, \"yes\"]}\n");
  ASSERT_EQ(predictions.size(), 2u);
  const auto classes = [&](const Ids& text) {
    std::vector<Label> labels;
    for (std::int32_t row = 1; row <= std::ssize(text); ++row) labels.push_back({row, 0, 1});
    return by_hand(*words_, text, labels).predicted;
  };
  EXPECT_EQ(predictions[0].classes, classes({11, 12, 13}));
  EXPECT_EQ(predictions[1].classes, classes({14, 15}));
  EXPECT_THAT(predictions[0].probability, IsEmpty());
}

// Words without a token, and those beyond the sequence, keep their places.
TEST_F(Classifiers, WordsWithoutARowAreNotPredicted) {
  std::string words = "\"w11\", \"\", \"w12\"";
  for (int i = 0; i < 13; ++i) words += ", \"w13\"";
  const auto predictions = predict(*words_, "token_classification", "{\"tokens\": [" + words + "]}\n");
  ASSERT_EQ(predictions.size(), 1u);
  const Ids& classes = predictions[0].classes;
  ASSERT_EQ(classes.size(), 16u);
  for (std::size_t word = 0; word < classes.size(); ++word) {
    EXPECT_EQ(classes[word] < 0, word == 1 || word == 15) << word;
  }
  Ids text{11, 12};
  text.resize(14, 13);  // with [CLS] and [SEP] a sequence of 16
  EXPECT_EQ(classes[2], by_hand(*words_, text, {{2, 0, 1}}).predicted[0]);
  EXPECT_EQ(classes[14], by_hand(*words_, text, {{14, 0, 1}}).predicted[0]);
}

TEST_F(Classifiers, ClassesAreTheModelsOrNamedAnew) {
  ScoreOptions how = options("classification");
  how.objective = {{"objective.classification.labels", "[\"a\", \"b\", \"c\"]"}};
  EXPECT_NEAR(score_lines(*texts_, how, "{\"text\": \"w14\", \"label\": \"b\"}\n").nats,
              by_hand(*texts_, {14}, {{0, 1, 1}}).surprisal[0], 1e-6);
  how.objective = {{"objective.classification.labels", "[\"a\", \"b\"]"}};
  EXPECT_ERROR(score_lines(*texts_, how, kTexts), usage,
               AllOf(HasSubstr("the model is not made for rule classification"), HasSubstr("of 3 classes")));
  EXPECT_ERROR(score_lines(*texts_, options("classification"), "{\"text\": \"w14\", \"label\": \"yess\"}\n"),
               data, AllOf(HasSubstr("the label is no class of the model"), HasSubstr("did you mean yes?")));
}

TEST_F(Classifiers, RulesAreThoseOfTheHeads) {
  EXPECT_EQ(default_rule(texts_->config()), "classification");
  EXPECT_EQ(default_rule(numbers_->config()), "regression");
  EXPECT_EQ(default_rule(words_->config()), "token_classification");
  const auto refused = [&](const Transformer& model, const std::string& rule, const std::string& fix) {
    EXPECT_ERROR(RecordScorer(rule, model.config(), tokenizer_, options(rule)), usage,
                 AllOf(HasSubstr("the model is not made for rule " + rule), HasSubstr(fix)));
  };
  refused(*texts_, "regression", "use --rule classification");
  refused(*texts_, "token_classification", "use --rule classification");
  refused(*numbers_, "classification", "use --rule regression");
  refused(*words_, "classification", "use --rule token_classification");
  refused(*texts_, "cloze", "use --rule classification");
  const auto masked = tiny_model(tiny_config("bert", 100, kPositions), Mode::evaluate, kRows);
  ScoreOptions named = options("classification");
  named.objective = {{"objective.classification.labels", "[\"a\", \"b\"]"}};
  EXPECT_ERROR(RecordScorer("classification", masked->config(), tokenizer_, named), usage,
               AllOf(HasSubstr("the model is not made for rule classification"),
                     HasSubstr("found a language model"), HasSubstr("objective.train = \"classification\"")));
  const TokenCorpus text = TokenCorpus::from_ids({{{11, 12}, {0}, 0}});
  for (const char* rule : {"windows", "pll", "reverse"}) {
    EXPECT_ERROR(score(*texts_, tokenizer_, text, options(rule)), usage,
                 HasSubstr("the model is a classifier: it has no vocabulary head"));
  }
}

TEST_F(Classifiers, NoClassifierWritesText) {
  const auto decoder = classifier("gpt2", Task::sequence_classification, kNames);
  EXPECT_ERROR(
      require_language_model(decoder->config()), usage,
      HasSubstr("the model is a classifier: it has no vocabulary head; surprisal score tells what it "
                "says of labelled texts"));
  EXPECT_NO_THROW(require_language_model(tiny_config("gpt2", 100, kPositions)));
}

// The masked tokens of a language model's objective are no labels of a classifier's.
TEST_F(Classifiers, EvaluationTakesNoTargets) {
  const Mixture mlm("mlm", {}, tokenizer_, 16);
  EXPECT_ERROR(evaluate(*texts_, TokenCorpus::from_ids({{{11, 12, 13}, {0}, 0}}), mlm, 1, 24), data,
               HasSubstr("targets for a model without a vocabulary head"));
}

}  // namespace
}  // namespace surprisal
