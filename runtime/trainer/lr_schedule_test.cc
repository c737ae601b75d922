#include "runtime/trainer/lr_schedule.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

namespace rm::trainer {
namespace {

using ::ringmaster::v1::TrainSpec;

TrainSpec WithRate(double lr) {
  TrainSpec spec;
  (*spec.mutable_optimizer()->mutable_params())["lr"] = lr;
  return spec;
}

TEST_CASE("the constant schedule is the learning rate at every step, named or not") {
  for (const char* type : {"", "ConstantLR"}) {
    TrainSpec spec = WithRate(0.25);
    spec.mutable_scheduler()->set_type(type);
    const auto schedule = MakeLrSchedule(spec);
    REQUIRE(schedule.ok());
    for (const int64_t step : {int64_t{0}, int64_t{1}, int64_t{1} << 40}) {
      CHECK((*schedule)(step) == 0.25);
    }
  }
}

TEST_CASE("unknown schedules, unknown parameters and impossible rates are refused") {
  TrainSpec unknown = WithRate(0.1);
  unknown.mutable_scheduler()->set_type("CosineLR");
  TrainSpec parameter = WithRate(0.1);
  (*parameter.mutable_scheduler()->mutable_params())["warmup"] = 3;
  const struct {
    TrainSpec spec;
    std::string part;
  } cases[] = {
      {unknown, "unknown schedule 'CosineLR'; known: ConstantLR"},
      {parameter, "ConstantLR takes no 'warmup'"},
      {TrainSpec(), "lr: the learning rate is missing"},
      {WithRate(0), "must be a positive number"},
      {WithRate(-0.1), "must be a positive number"},
      {WithRate(std::numeric_limits<double>::quiet_NaN()), "must be a positive number"},
      {WithRate(std::numeric_limits<double>::infinity()), "must be a positive number"},
  };
  for (const auto& c : cases) {
    const auto schedule = MakeLrSchedule(c.spec);
    REQUIRE(schedule.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(std::string(schedule.status().message()).find(c.part) != std::string::npos);
  }
}

}  // namespace
}  // namespace rm::trainer
