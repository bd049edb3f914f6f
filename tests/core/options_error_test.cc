// What is said about options that are wrong. The required keys take lines 1 and 2.
#include "core/options.h"
#include "tests/core/error_matchers.h"
#include "tests/core/options_fixture.h"

namespace surprisal {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

void read(const std::string& text, const std::vector<Override>& overrides = {}) {
  SampleOptions options;
  read_sample(options, text, overrides);
}

TEST(OptionErrors, UnknownKeyIsNamedWithItsPlaceAndTheNearestName) {
  EXPECT_ERROR(read("\n[train]\nlearning_rat = 1\n"), usage,
               "run.toml:5:1: unknown key train.learning_rat; did you mean train.learning_rate?");
  EXPECT_ERROR(read("train.learning_rat = 1"), usage,
               "run.toml:3:7: unknown key train.learning_rat; did you mean train.learning_rate?");
  EXPECT_ERROR(read("[objective.mlm]\nprobabilty = 0.1"), usage,
               "run.toml:4:1: unknown key objective.mlm.probabilty; did you mean objective.mlm.probability?");
  EXPECT_ERROR(read("[train]\nweight = 1"), usage, "run.toml:4:1: unknown key train.weight");
}

TEST(OptionErrors, KeyInTheWrongTableIsFound) {
  EXPECT_ERROR(read("max_steps = 1"), usage,
               "run.toml:3:1: unknown key max_steps; did you mean train.max_steps?");
  EXPECT_ERROR(read("run.probability = 1"), usage,
               HasSubstr("unknown key run.probability; did you mean objective.mlm.probability?"));
}

TEST(OptionErrors, UnknownTableIsNamedOnce) {
  EXPECT_ERROR(read("[trian]\nmax_steps = 1\nresume = true"), usage,
               "run.toml:3:2: unknown key trian; did you mean train?");
}

TEST(OptionErrors, AllUnknownKeysAreNamedInTheOrderOfTheFile) {
  EXPECT_ERROR(read("[train]\nresum = true\n[objective.mlm]\ncoun = 'fixed'\nzzzzzzzz = 1"), usage,
               "run.toml:4:1: unknown key train.resum; did you mean train.resume?; run.toml:6:1: unknown key "
               "objective.mlm.coun; did you mean objective.mlm.count?; run.toml:7:1: unknown key "
               "objective.mlm.zzzzzzzz");
}

TEST(OptionErrors, UnknownOverride) {
  EXPECT_ERROR(read("", {{"train.learning_rat", "1"}}), usage,
               "--train.learning_rat: unknown key train.learning_rat; did you mean --train.learning_rate?");
  EXPECT_ERROR(read("", {{"trian.max_steps", "1"}}), usage,
               "--trian.max_steps: unknown key trian.max_steps; did you mean --train.max_steps?");
  EXPECT_ERROR(read("", {{"seed", "1"}}), usage, "--seed: unknown key seed; did you mean --run.seed?");
  EXPECT_ERROR(read("", {{"", "1"}}), usage, HasSubstr("unknown key"));
}

TEST(OptionErrors, WrongType) {
  EXPECT_ERROR(read("train.max_steps = 'many'"), usage,
               "run.toml:3:7: train.max_steps has the wrong type: found \"many\", expected an integer in [1, "
               "1000000]");
  EXPECT_ERROR(read("train.resume = 1"), usage,
               HasSubstr("train.resume has the wrong type: found 1, expected true or false"));
  EXPECT_ERROR(read("run.note = 1"), usage,
               HasSubstr("run.note has the wrong type: found 1, expected a string"));
  EXPECT_ERROR(read("objective.mlm.count = true"), usage, HasSubstr("expected \"fixed\" or \"bernoulli\""));
  EXPECT_ERROR(read("objective.mlm.probability = 2024-05-01"), usage,
               HasSubstr("found a date or time, expected a number in [0, 1]"));
  EXPECT_ERROR(read("train.learning_rate = [1]"), usage, HasSubstr("found a list, expected a number > 0"));
  EXPECT_ERROR(read_options_text("data.train = ['a', 3]", "run.toml", {}, SampleOptions().visitor()), usage,
               "run.toml:1:6: data.train has the wrong type: found 3, expected strings in the list");
  EXPECT_ERROR(read_options_text("data.train = 3", "", {}, SampleOptions().visitor()), usage,
               HasSubstr("found 3, expected a list of strings"));
}

TEST(OptionErrors, WrongTypeOnTheCommandLine) {
  EXPECT_ERROR(read("", {{"train.max_steps", "many"}}), usage,
               "--train.max_steps: train.max_steps has the wrong type: found \"many\", expected an integer "
               "in [1, 1000000]");
  EXPECT_ERROR(read("", {{"train.resume", "yes"}}), usage,
               HasSubstr("found \"yes\", expected true or false"));
  EXPECT_ERROR(read("", {{"train.learning_rate", ".5"}}), usage,
               HasSubstr("found \".5\", expected a number > 0"));
  EXPECT_ERROR(read("", {{"train.learning_rate", ""}}), usage,
               HasSubstr("found \"\", expected a number > 0"));
  EXPECT_ERROR(read("", {{"train.max_steps", "1\nrun.seed = 2"}}), usage, HasSubstr("expected an integer"));
  EXPECT_ERROR(read("", {{"run.note", "['a']"}}), usage, HasSubstr("found a list, expected a string"));
  EXPECT_ERROR(read("", {{"data.train", "['a'"}}), usage,
               HasSubstr("found \"['a'\", expected a list of strings"));
  EXPECT_ERROR(read("", {{"run.note", "a\xFF"}}), usage, "--run.note: run.note is not UTF-8");
}

TEST(OptionErrors, AFloatIsNoInteger) {
  EXPECT_ERROR(read("train.max_steps = 1e3"), usage,
               "run.toml:3:7: train.max_steps has the wrong type: found 1000.0, expected an integer in [1, "
               "1000000]; write 1000");
  EXPECT_ERROR(read("train.max_steps = 1.5"), usage,
               testing::EndsWith("found 1.5, expected an integer in [1, 1000000]"));
}

TEST(OptionErrors, OutOfRange) {
  EXPECT_ERROR(
      read("objective.mlm.probability = 1.5"), usage,
      "run.toml:3:15: objective.mlm.probability is out of range: found 1.5, expected a number in [0, 1]");
  EXPECT_ERROR(read("train.learning_rate = 0.0"), usage, HasSubstr("found 0.0, expected a number > 0"));
  EXPECT_ERROR(read("train.max_steps = 0"), usage, HasSubstr("found 0, expected an integer in [1, 1000000]"));
  EXPECT_ERROR(read("train.max_steps = 1000001"), usage, HasSubstr("found 1000001"));
  EXPECT_ERROR(read("run.seed = -1"), usage, HasSubstr("found -1, expected an integer >= 0"));
  EXPECT_ERROR(read("", {{"objective.mlm.probability", "-0.1"}}), usage,
               "--objective.mlm.probability: objective.mlm.probability is out of range: found -0.1, expected "
               "a number in [0, 1]");
}

TEST(OptionErrors, NumbersAreFinite) {
  EXPECT_ERROR(read("train.learning_rate = nan"), usage,
               HasSubstr("is out of range: found nan, expected a finite number > 0"));
  EXPECT_ERROR(read("train.learning_rate = inf"), usage,
               HasSubstr("is out of range: found inf, expected a finite number > 0"));
  EXPECT_ERROR(read("objective.mlm.probability = -inf"), usage, HasSubstr("found -inf"));
}

TEST(OptionErrors, NoneOfTheChoices) {
  EXPECT_ERROR(read("train.lr_scheduler_type = 'cosin'"), usage,
               "run.toml:3:7: train.lr_scheduler_type is none of its choices: found \"cosin\", expected "
               "\"linear\", \"cosine\" or "
               "\"constant\"; did you mean \"cosine\"?");
  EXPECT_ERROR(read("", {{"train.lr_scheduler_type", "wsd"}}), usage,
               testing::EndsWith("\"cosine\" or \"constant\""));
}

TEST(OptionErrors, TablesAndValuesAreNotTakenForEachOther) {
  EXPECT_ERROR(read("train = 3"), usage,
               "run.toml:3:1: train has the wrong type: found a value, expected a table: [train]");
  EXPECT_ERROR(read("[run.note]\na = 1"), usage,
               HasSubstr("run.note has the wrong type: found a table, expected a value: note = ..."));
  EXPECT_ERROR(read("[[train]]\nmax_steps = 1"), usage,
               HasSubstr("train has the wrong type: found a value, expected a table"));
  EXPECT_ERROR(read("", {{"objective.mlm", "3"}}), usage,
               "--objective.mlm: objective.mlm is a table: found \"3\", expected --objective.mlm.KEY VALUE");
}

TEST(OptionErrors, MissingKeysAreNamedAllAtOnce) {
  SampleOptions options;
  EXPECT_ERROR(
      read_options_text("", "run.toml", {}, options.visitor()), usage,
      "run.toml: missing keys: run.directory, data.train; set it in the file or as --run.directory VALUE");
  EXPECT_ERROR(read_options_text("data.train = 'a'", "run.toml", {}, options.visitor()), usage,
               "run.toml: missing key: run.directory; set it in the file or as --run.directory VALUE");
  EXPECT_ERROR(read("", {{"run.directory", ""}}), usage, "--run.directory: run.directory is empty");
  EXPECT_ERROR(read("", {{"data.train", "[]"}}), usage, "--data.train: data.train is empty");
}

TEST(OptionErrors, TextThatIsNoToml) {
  EXPECT_ERROR(read("[train\n"), usage, StartsWith("run.toml:3:7: "));
  EXPECT_ERROR(read("run.seed = 1\nrun.seed = 2"), usage, StartsWith("run.toml:4:"));
  EXPECT_ERROR(read("run.note = \"\xFF\""), usage, StartsWith("run.toml:3:"));
  EXPECT_ERROR(read("run.seed = 99999999999999999999"), usage, StartsWith("run.toml:3:"));
  EXPECT_ERROR(read("train: {max_steps: 3}"), usage, StartsWith("run.toml:3:"));
}

}  // namespace
}  // namespace surprisal
