#include "objective/options.h"

#include "tests/core/error_matchers.h"

namespace surprisal {
namespace {

ObjectiveOptions read(const std::string& toml) {
  ObjectiveOptions options;
  read_options_text(toml, "run.toml", {}, [&](OptionVisitor& visitor) {
    visitor.table("objective", "", [&](OptionVisitor& table) { options.visit(table); });
  });
  return options;
}

TEST(ObjectiveOptions, AreReadFromTheirTables) {
  ObjectiveOptions options = read(R"(
[objective]
train = "mlm + nsp"
[objective.mlm]
probability = 0.2
mask = 0.7
random = 0.2
count = "bernoulli"
unit = "word"
final_probability = 0.1
final_mask = 0
final_random = 0.3
span_probability = 0.5
span_max_words = 4
[objective.nsp]
random_next = 0.4
short_sequence = 0
[objective.sop]
swap = 0.3
short_sequence = 1
)");
  EXPECT_EQ(options.train, "mlm + nsp");
  EXPECT_EQ(options.mlm.probability, 0.2);
  EXPECT_EQ(options.mlm.mask, 0.7);
  EXPECT_EQ(options.mlm.random, 0.2);
  EXPECT_EQ(options.mlm.count, "bernoulli");
  EXPECT_EQ(options.mlm.unit, "word");
  EXPECT_EQ(options.mlm.final_probability, 0.1);
  EXPECT_EQ(options.mlm.final_mask, 0);
  EXPECT_EQ(options.mlm.final_random, 0.3);
  EXPECT_EQ(options.mlm.span_probability, 0.5);
  EXPECT_EQ(options.mlm.span_max_words, 4);
  EXPECT_EQ(options.sop.swap, 0.3);
  EXPECT_EQ(options.sop.short_sequence, 1);
  EXPECT_EQ(options.nsp.random_next, 0.4);
  EXPECT_EQ(options.nsp.short_sequence, 0);
}

TEST(ObjectiveOptions, DefaultsAreBerts) {
  ObjectiveOptions options = read("objective.train = \"mlm\"");
  EXPECT_EQ(options.mlm.probability, 0.15);
  EXPECT_EQ(options.mlm.mask, 0.8);
  EXPECT_EQ(options.mlm.random, 0.1);
  EXPECT_EQ(options.mlm.count, "fixed");
  EXPECT_EQ(options.mlm.unit, "token");
  EXPECT_EQ(options.mlm.final_probability, kUnchanged);
  EXPECT_EQ(options.mlm.final_mask, kUnchanged);
  EXPECT_EQ(options.mlm.final_random, kUnchanged);
  EXPECT_EQ(options.mlm.span_probability, 0.2);
  EXPECT_EQ(options.mlm.span_max_words, 10);
  EXPECT_EQ(options.sop.swap, 0.5);
  EXPECT_EQ(options.sop.short_sequence, 0.1);
  EXPECT_EQ(options.nsp.random_next, 0.5);
  EXPECT_EQ(options.nsp.short_sequence, 0.1);
}

TEST(ObjectiveOptions, RefusesImpossibleValues) {
  std::string train = "objective.train = \"mlm\"\n";
  EXPECT_ERROR(read(train + "objective.mlm.mask = 1.5"), usage,
               testing::AllOf(testing::HasSubstr("objective.mlm.mask"), testing::HasSubstr("1.5")));
  EXPECT_ERROR(read(train + "objective.mlm.probability = 0"), usage,
               testing::HasSubstr("objective.mlm.probability"));
  EXPECT_ERROR(read(train + "objective.mlm.count = \"fixd\""), usage,
               testing::HasSubstr("did you mean \"fixed\"?"));
  EXPECT_ERROR(read(train + "objective.mlm.unit = \"words\""), usage,
               testing::HasSubstr("did you mean \"word\"?"));
  EXPECT_ERROR(read(train + "objective.mlm.final_mask = -2"), usage, testing::HasSubstr("final_mask"));
  EXPECT_ERROR(read(train + "objective.mlm.span_max_words = 0"), usage, testing::HasSubstr("span_max_words"));
  EXPECT_ERROR(read(train + "objective.sop.swap = 2"), usage, testing::HasSubstr("objective.sop.swap"));
  EXPECT_ERROR(read(train + "objective.nsp.random_next = -1"), usage,
               testing::HasSubstr("objective.nsp.random_next"));
  EXPECT_ERROR(read("objective.mlm.mask = 1"), usage, testing::HasSubstr("objective.train"));
}

TEST(ObjectiveOptions, TablesAloneAskForNoSpecification) {
  ObjectiveOptions options;
  read_options_text("mlm.probability = 0.5", "x.toml", {},
                    [&](OptionVisitor& visitor) { options.visit_tables(visitor); });
  EXPECT_EQ(options.mlm.probability, 0.5);
}

}  // namespace
}  // namespace surprisal
