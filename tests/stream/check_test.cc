// Every rule of check_stream, with its message.
#include "stream/check.h"

#include <functional>
#include <limits>
#include <utility>

#include "tests/core/error_matchers.h"
#include "tests/stream/streams.h"

namespace surprisal {
namespace {

constexpr StreamLimits kLimits{
    .vocabulary = 200, .positions = 5, .block_positions = 1, .segments = 2, .classes = 2};

void check(const std::function<void(Stream&)>& change, const StreamLimits& limits = kLimits) {
  Stream stream = make_sequence(4, 10);
  change(stream);
  check_stream(stream, limits, "s:3");
}

TEST(CheckStream, AcceptsWhatKeepsTheRules) {
  check([](Stream&) {});
  check([](Stream& s) { s.visible[2] = {0, 0}; });
  check([](Stream& s) { s.visible[2] = {4, 4}; });
  check([](Stream& s) { s.target[0].weight = 0; });
  check([](Stream& s) { s.clear(); });
}

TEST(CheckStream, WithoutLimitsOnlySignsCount) {
  auto large = [](Stream& s) {
    s.token[0] = s.position[0] = s.segment[0] = s.block_position[0] = s.label[0].cls = s.target[0].id =
        std::numeric_limits<std::int32_t>::max();
  };
  check(large, {});
  EXPECT_ERROR(check([](Stream& s) { s.token[1] = -1; }, {}), data,
               "s:3, token[1]: id out of range: found -1, expected at least 0");
}

TEST(CheckStream, ArraysOfUnequalLength) {
  EXPECT_ERROR(check([](Stream& s) { s.position.pop_back(); }), data,
               "s:3, position: arrays of unequal length: found 3, expected 4, as token has");
  EXPECT_ERROR(check([](Stream& s) { s.block_position.push_back(0); }), data,
               "s:3, block_position: arrays of unequal length: found 5, expected 4, as token has");
  EXPECT_ERROR(check([](Stream& s) { s.segment.clear(); }), data,
               "s:3, segment: arrays of unequal length: found 0, expected 4, as token has");
  EXPECT_ERROR(check([](Stream& s) { s.visible.pop_back(); }), data,
               "s:3, visible: arrays of unequal length: found 3, expected 4, as token has");
}

TEST(CheckStream, IntervalsStayInTheStream) {
  EXPECT_ERROR(check([](Stream& s) {
                 s.visible[2] = {0, 5};
               }),
               data,
               "s:3, visible[2]: interval leaves the stream: found [0, 5), expected 0 <= begin <= end <= 4");
  EXPECT_ERROR(check([](Stream& s) {
                 s.visible[2] = {-1, 2};
               }),
               data,
               "s:3, visible[2]: interval leaves the stream: found [-1, 2), expected 0 <= begin <= end <= 4");
  EXPECT_ERROR(check([](Stream& s) {
                 s.visible[3] = {3, 2};
               }),
               data,
               "s:3, visible[3]: interval leaves the stream: found [3, 2), expected 0 <= begin <= end <= 4");
}

TEST(CheckStream, ValuesOfRowsStayInTheirRanges) {
  EXPECT_ERROR(check([](Stream& s) { s.token[2] = 200; }), data,
               "s:3, token[2]: id out of range: found 200, expected at least 0 and below 200");
  EXPECT_ERROR(check([](Stream& s) { s.position[3] = 5; }), data,
               "s:3, position[3]: position out of range: found 5, expected at least 0 and below 5");
  EXPECT_ERROR(check([](Stream& s) { s.block_position[0] = 1; }), data,
               "s:3, block_position[0]: position out of range: found 1, expected at least 0 and below 1");
  EXPECT_ERROR(check([](Stream& s) { s.segment[0] = 2; }), data,
               "s:3, segment[0]: segment out of range: found 2, expected at least 0 and below 2");
}

TEST(CheckStream, TargetsStayInTheStreamSequenceBySequence) {
  EXPECT_ERROR(check([](Stream& s) { s.target[0].row = 4; }), data,
               "s:3, target[0]: row leaves the stream: found 4, expected at least 0 and below 4");
  EXPECT_ERROR(check([](Stream& s) { s.target[0].row = -1; }), data,
               "s:3, target[0]: row leaves the stream: found -1, expected at least 0 and below 4");
  auto apart = [](Stream& s) { s.sequence = {{.begin = 0, .end = 2}, {.begin = 2, .end = 4}}; };
  EXPECT_ERROR(check([&](Stream& s) {
                 apart(s);
                 s.target = {{3, 1, 1}, {1, 1, 1}};
               }),
               data,
               "s:3, target[1]: a row of an earlier sequence follows: found 1 after 3, expected at least 2");
  check([&](Stream& s) {  // within a sequence any order, and several of one row
    apart(s);
    s.target = {{1, 1, 1}, {0, 1, 1}, {0, 2, 1}, {3, 1, 1}, {2, 1, 1}};
  });
  EXPECT_ERROR(check([](Stream& s) { s.target[0].id = 200; }), data,
               "s:3, target[0]: id out of range: found 200, expected at least 0 and below 200");
}

TEST(CheckStream, LabelsStayInTheStream) {
  EXPECT_ERROR(check([](Stream& s) { s.label[0].row = 7; }), data,
               "s:3, label[0]: row leaves the stream: found 7, expected at least 0 and below 4");
  check([](Stream& s) { s.label.push_back({0, 0, 1}); });
  EXPECT_ERROR(check([](Stream& s) { s.label[0].cls = 2; }), data,
               "s:3, label[0]: class out of range: found 2, expected at least 0 and below 2");
  EXPECT_ERROR(check([](Stream& s) { s.label[0].cls = -2; }), data,
               "s:3, label[0]: class out of range: found -2, expected at least 0 and below 2");
}

// Five targets and two choices over them: the first between targets 0 and 1..2, the second of target 4 alone.
void check_choice(const std::function<void(Stream&)>& change) {
  check([&](Stream& s) {
    s.target.assign(5, {1, 7, 1});
    s.choice = {{.option = {{0, 1}, {1, 3}}, .answer = 1}, {.option = {{4, 5}}}};
    change(s);
  });
}

TEST(CheckStream, ChoicesAreOfTargetsThatAreTheirOwn) {
  check_choice([](Stream&) {});
  check_choice([](Stream& s) { s.choice[0].option[1] = {2, 4}; });
  check_choice([](Stream& s) { s.choice[1].weight = 0; });
  EXPECT_ERROR(check_choice([](Stream& s) { s.choice[1].option.clear(); }), data,
               "s:3, choice[1]: a choice without an option: found 0 options, expected at least 1");
  EXPECT_ERROR(
      check_choice([](Stream& s) {
        s.choice[1].option[0] = {4, 6};
      }),
      data,
      "s:3, choice[1]: an option is no range of targets: found option 0: [4, 6), expected 0 <= begin < end "
      "<= 5");
  EXPECT_ERROR(
      check_choice([](Stream& s) {
        s.choice[0].option[0] = {-1, 1};
      }),
      data, testing::HasSubstr("s:3, choice[0]: an option is no range of targets: found option 0: [-1, 1)"));
  EXPECT_ERROR(check_choice([](Stream& s) {
                 s.choice[0].option[1] = {2, 2};
               }),
               data,
               testing::HasSubstr("choice[0]: an option is no range of targets: found option 1: [2, 2)"));
  EXPECT_ERROR(
      check_choice([](Stream& s) {
        s.choice[0].option[1] = {0, 2};
      }),
      data,
      "s:3, choice[0]: options overlap or are out of order: found option 1: [0, 2), expected to begin "
      "at 1 or later");
  EXPECT_ERROR(
      check_choice([](Stream& s) {
        s.choice[1].option[0] = {2, 5};
      }),
      data,
      "s:3, choice[1]: options overlap or are out of order: found option 0: [2, 5), expected to begin "
      "at 3 or later");
  EXPECT_ERROR(check_choice([](Stream& s) { std::swap(s.choice[0], s.choice[1]); }), data,
               testing::HasSubstr("choice[1]: options overlap or are out of order"));
  EXPECT_ERROR(check_choice([](Stream& s) { s.choice[0].answer = 2; }), data,
               "s:3, choice[0]: answer out of range: found 2, expected at least 0 and below 2");
  EXPECT_ERROR(check_choice([](Stream& s) { s.choice[0].answer = -1; }), data,
               "s:3, choice[0]: answer out of range: found -1, expected at least 0 and below 2");
  EXPECT_ERROR(check_choice([](Stream& s) { s.choice[0].weight = -1; }), data,
               "s:3, choice[0]: impossible weight: found -1, expected a finite number, at least 0");
}

TEST(CheckStream, AClassifierHasNoTargets) {
  StreamLimits classifier = kLimits;
  classifier.targets = false;
  EXPECT_ERROR(
      check([](Stream&) {}, classifier), data,
      "s:3: targets for a model without a vocabulary head: found 1; use an objective over labels: the "
      "model is a classifier");
  check([](Stream& s) { s.target.clear(); }, classifier);
}

TEST(CheckStream, ValuesOfLabelsAreFinite) {
  check([](Stream& s) { s.label[0].value = -3.5f; });
  for (float value : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_ERROR(check([&](Stream& s) { s.label[0].value = value; }), data,
                 testing::AllOf(testing::StartsWith("s:3, label[0]: impossible value: found "),
                                testing::EndsWith(", expected a number")));
  }
}

TEST(CheckStream, WeightsAreFiniteAndNotNegative) {
  EXPECT_ERROR(check([](Stream& s) { s.target[0].weight = -0.5f; }), data,
               "s:3, target[0]: impossible weight: found -0.5, expected a finite number, at least 0");
  EXPECT_ERROR(check([](Stream& s) { s.target[0].weight = std::numeric_limits<float>::infinity(); }), data,
               "s:3, target[0]: impossible weight: found inf, expected a finite number, at least 0");
  EXPECT_ERROR(check([](Stream& s) { s.label[0].weight = std::numeric_limits<float>::quiet_NaN(); }), data,
               testing::HasSubstr("s:3, label[0]: impossible weight: found nan"));
}

TEST(CheckStream, SequencesCoverTheStreamInOrder) {
  EXPECT_ERROR(check([](Stream& s) { s.sequence.clear(); }), data,
               "s:3, sequence: sequences do not cover the stream: found an end at 0, expected 4");
  EXPECT_ERROR(check([](Stream& s) { s.sequence[0].end = 3; }), data,
               "s:3, sequence: sequences do not cover the stream: found an end at 3, expected 4");
  EXPECT_ERROR(
      check([](Stream& s) { s.sequence[0].begin = 1; }), data,
      "s:3, sequence[0]: sequences do not cover the stream in order: found [1, 4), expected to begin at "
      "0 and to end after it, by 4");
  EXPECT_ERROR(
      check([](Stream& s) { s.sequence.push_back({.begin = 4, .end = 4}); }), data,
      "s:3, sequence[1]: sequences do not cover the stream in order: found [4, 4), expected to begin at "
      "4 and to end after it, by 4");
  EXPECT_ERROR(
      check([](Stream& s) { s.sequence[0].end = 5; }), data,
      "s:3, sequence[0]: sequences do not cover the stream in order: found [0, 5), expected to begin at "
      "0 and to end after it, by 4");
}

}  // namespace
}  // namespace surprisal
