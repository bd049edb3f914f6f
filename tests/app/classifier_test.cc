// Classifiers through the program: explained, trained, scored, and asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/program.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ClassifierVerbs : public testing::Test {
 protected:
  ClassifierVerbs() {
    workplace_.write("texts.jsonl",
                     "{\"text\": \"the cat sees a dog\", \"label\": \"cat\"}\n"
                     "{\"text\": \"a dog finds my friend\", \"label\": \"dog\"}\n"
                     "{\"text\": \"the dog\", \"label\": 1}\n");
    workplace_.write(
        "numbers.jsonl",
        "{\"text\": \"the cat sees a dog\", \"label\": 1.5}\n{\"text\": \"a dog\", \"label\": -1}\n"
        "{\"text\": \"my friend\", \"label\": 0}\n");
    workplace_.write("words.jsonl",
                     "{\"tokens\": [\"the\", \"cat\"], \"tags\": [\"O\", \"B-X\"]}\n"
                     "{\"tokens\": [\"my\", \"friend\", \"finds\"], \"tags\": [-100, \"O\", \"O\"]}\n");
  }
  // A run of 2 steps from bert/ or gpt2/.
  void train(const std::string& objective, const std::string& data, const std::string& model = "bert",
             const std::string& more = "") {
    workplace_.write(
        "run.toml",
        "[run]\ndirectory = \"run\"\n[data]\ntrain = [\"" + data + "\"]\nvalidation = [\"" + data +
            "\"]\nsequence_length = 16\n[tokenizer]\npath = \"" + model + "\"\n[objective]\ntrain = \"" +
            objective + "\"\n" +
            (objective == "classification" ? "[objective.classification]\nlabels = [\"cat\", \"dog\"]\n"
                                           : "") +
            "[model]\npath = \"" + model +
            "\"\nnew_heads = true\n[train]\nmax_steps = 2\ntokens_per_step = 64\nmicro_batch_tokens = 32\n"
            "learning_rate = 1e-3\nthreads = 1\n" +
            more);
    const Outcome outcome = workplace_.run({"train", "run.toml"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  Workplace workplace_;
};

TEST_F(ClassifierVerbs, ExplainNamesTheClass) {
  word_tokenizer().save(workplace_ / "words");
  workplace_.write("w.jsonl",
                   "{\"text\": \"w11 w12\", \"label\": \"yes\"}\n{\"text\": \"w13\", \"label\": \"no\"}\n");
  const Outcome shown = workplace_.run(
      {"explain", "--objective", "classification", "--tokenizer", "words", "--samples", "2", "w.jsonl"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("sample 1: classification, 4 rows, 0 targets, document at w.jsonl:1"),
                    HasSubstr("label: row 0, class 1 (yes), weight 1\n"),
                    HasSubstr("label: row 0, class 0 (no), weight 1\n")));
  const Outcome number = workplace_.run(
      {"explain", "--objective", "regression", "--tokenizer", "words", "--samples", "1", "numbers.jsonl"});
  EXPECT_THAT(number.out, HasSubstr("label: row 0, value 1.5, weight 1\n"));
  const Outcome words = workplace_.run({"explain", "--objective", "token_classification", "--tokenizer",
                                        "words", "--samples", "1", "words.jsonl"});
  EXPECT_THAT(words.out, AllOf(HasSubstr("label: row 1, class 1 (O), weight 1\n"),
                               HasSubstr("label: row 2, class 0 (B-X), weight 1\n")));
}

TEST_F(ClassifierVerbs, ScoreOfAClassifierNeedsNoRule) {
  train("classification", "texts.jsonl");
  const Outcome found = workplace_.run({"score", "--model", "run/latest", "--json", "texts.jsonl"});
  ASSERT_EQ(found.code, 0) << found.err;
  const Json json = found.json();
  EXPECT_EQ(json.at("rule"), "classification");
  EXPECT_EQ(json.at("examples"), 3);
  EXPECT_NEAR(json.at("nats_per_example"), json.at("nats").get<double>() / 3, 1e-9);
  for (const char* key : {"accuracy", "f1", "matthews", "sequence_length"}) EXPECT_TRUE(json.contains(key));
  const Outcome text = workplace_.run({"score", "--model", "run/latest", "texts.jsonl"});
  EXPECT_THAT(text.out, AllOf(HasSubstr("rule           classification (sequences of 20)\n"),
                              HasSubstr("examples       3\n"), HasSubstr(" nats an example\n"),
                              HasSubstr("accuracy       "), HasSubstr("matthews       ")));
}

TEST_F(ClassifierVerbs, EachTellsEveryRecord) {
  train("classification", "texts.jsonl");
  workplace_.write("asked.jsonl", "{\"text\": \"the cat\"}\n\n{\"text\": \"a dog\", \"label\": \"bird\"}\n");
  const Outcome found = workplace_.run({"score", "--model", "run/latest", "--each", "asked.jsonl"});
  ASSERT_EQ(found.code, 0) << found.err;
  const std::vector<Json> lines = found.json_lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].at("record"), "asked.jsonl:1");
  EXPECT_EQ(lines[1].at("record"), "asked.jsonl:3");
  for (const Json& line : lines) {
    const double cat = line.at("probability").at("cat"), dog = line.at("probability").at("dog");
    EXPECT_NEAR(cat + dog, 1, 1e-6);
    EXPECT_EQ(line.at("label"), cat >= dog ? "cat" : "dog");
  }
}

TEST_F(ClassifierVerbs, EachOfNumbersAndOfWords) {
  train("regression", "numbers.jsonl", "gpt2");
  const Outcome numbers = workplace_.run({"score", "--model", "run/latest", "--each", "texts.jsonl"});
  ASSERT_EQ(numbers.code, 0) << numbers.err;
  ASSERT_EQ(numbers.json_lines().size(), 3u);
  EXPECT_TRUE(numbers.json_lines()[0].at("value").is_number());
  const Outcome mean = workplace_.run({"score", "--model", "run/latest", "--json", "numbers.jsonl"});
  ASSERT_EQ(mean.code, 0) << mean.err;
  for (const char* key : {"mean_squared_error", "pearson", "spearman"})
    EXPECT_TRUE(mean.json().contains(key));
  EXPECT_FALSE(mean.json().contains("accuracy"));
  EXPECT_THAT(workplace_.run({"score", "--model", "run/latest", "numbers.jsonl"}).out,
              HasSubstr("squared error  "));
}

TEST_F(ClassifierVerbs, EachOfWords) {
  train("token_classification", "words.jsonl");
  workplace_.write("asked.jsonl",
                   "{\"tokens\": [\"the\", \"\\u00ad\", \"cat\"]}\n"
                   "{\"tokens\": [\"my\", \"friend\", \"finds\"], \"tags\": [-100, 7]}\n");
  const Outcome found = workplace_.run({"score", "--model", "run/latest", "--each", "asked.jsonl"});
  ASSERT_EQ(found.code, 0) << found.err;
  const std::vector<Json> lines = found.json_lines();
  ASSERT_EQ(lines.size(), 2u);
  ASSERT_EQ(lines[0].at("labels").size(), 3u);
  EXPECT_TRUE(lines[0].at("labels")[0].is_string());
  EXPECT_TRUE(lines[0].at("labels")[1].is_null());
  EXPECT_TRUE(lines[0].at("labels")[2].is_string());
  EXPECT_EQ(lines[1].at("labels").size(), 3u);
  const Outcome mean = workplace_.run({"score", "--model", "run/latest", "--json", "words.jsonl"});
  ASSERT_EQ(mean.code, 0) << mean.err;
  EXPECT_EQ(mean.json().at("words"), 4);
  EXPECT_TRUE(mean.json().contains("exact_match"));
  EXPECT_THAT(workplace_.run({"score", "--model", "run/latest", "words.jsonl"}).out,
              AllOf(HasSubstr("words          4\n"), HasSubstr(" nats a word\n")));
}

TEST_F(ClassifierVerbs, AnAdapterBringsItsClassifier) {
  train("classification", "texts.jsonl", "gpt2", "[adapter]\ntype = \"lora\"\nr = 2\n");
  const Outcome found =
      workplace_.run({"score", "--model", "gpt2", "--adapter", "run/latest", "--json", "texts.jsonl"});
  ASSERT_EQ(found.code, 0) << found.err;
  EXPECT_EQ(found.json().at("rule"), "classification");
  const Outcome each =
      workplace_.run({"score", "--model", "gpt2", "--adapter", "run/latest", "--each", "texts.jsonl"});
  ASSERT_EQ(each.code, 0) << each.err;
  EXPECT_TRUE(each.json_lines().at(0).at("probability").contains("dog"));
  const Outcome merged =
      workplace_.run({"merge", "--model", "gpt2", "--adapter", "run/latest", "--out", "merged"});
  ASSERT_EQ(merged.code, 0) << merged.err;
  const Outcome whole = workplace_.run({"score", "--model", "merged", "--json", "texts.jsonl"});
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_NEAR(whole.json().at("nats"), found.json().at("nats").get<double>(), 1e-4);
}

TEST_F(ClassifierVerbs, LossAndPlanKnowThem) {
  train("classification", "texts.jsonl");
  const Outcome loss = workplace_.run(
      {"loss", "--model", "run/latest", "--objective", "classification", "--json", "--text", "texts.jsonl"});
  ASSERT_EQ(loss.code, 0) << loss.err;
  EXPECT_EQ(loss.json().at("terms").at("token").at("weight"), 0);
  const Outcome plan = workplace_.run({"plan", "run.toml"});
  ASSERT_EQ(plan.code, 0) << plan.err;
}

TEST_F(ClassifierVerbs, WhatAClassifierCannotDo) {
  train("classification", "texts.jsonl", "gpt2");
  EXPECT_FAILS(workplace_.run({"generate", "--model", "run/latest", "--prompt", "the"}), 2,
               HasSubstr("the model is a classifier: it has no vocabulary head"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "run/latest", "--rule", "windows", "text.txt"}), 2,
               HasSubstr("the model is a classifier: it has no vocabulary head"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "run/latest", "text.txt"}), 3,
               HasSubstr("the file holds texts, and nothing here reads one"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "--rule", "classification", "texts.jsonl"}), 2,
               HasSubstr("the model is not made for rule classification"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "--each", "text.txt"}), 2,
               HasSubstr("--each prints what a classifier says of each record"));
}

}  // namespace
}  // namespace surprisal
