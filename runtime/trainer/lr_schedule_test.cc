#include "runtime/trainer/lr_schedule.h"

#include <catch2/catch.hpp>
#include <limits>
#include <map>
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
    const auto schedule = MakeLrSchedule(spec, 100);
    REQUIRE(schedule.ok());
    for (const int64_t step : {int64_t{0}, int64_t{1}, int64_t{1} << 40}) {
      CHECK((*schedule)(step) == 0.25);
    }
  }
}

TrainSpec With(const std::string& type, const std::map<std::string, double>& params) {
  TrainSpec spec = WithRate(0.5);
  spec.mutable_scheduler()->set_type(type);
  for (const auto& [name, value] : params) {
    (*spec.mutable_scheduler()->mutable_params())[name] = value;
  }
  return spec;
}

TEST_CASE("StepLR goes down by gamma every step_size steps") {
  const auto schedule = MakeLrSchedule(With("StepLR", {{"step_size", 10}, {"gamma", 0.5}}), 100);
  REQUIRE(schedule.ok());
  CHECK((*schedule)(0) == 0.5);
  CHECK((*schedule)(9) == 0.5);
  CHECK((*schedule)(10) == 0.25);
  CHECK((*schedule)(29) == 0.125);
  const auto tenth = MakeLrSchedule(With("StepLR", {{"step_size", 1}}), 100);
  REQUIRE(tenth.ok());
  CHECK((*tenth)(2) == Approx(0.005));
}

TEST_CASE("WarmupCosineLR climbs to lr and glides down to min_lr over the steps of the job") {
  const auto schedule =
      MakeLrSchedule(With("WarmupCosineLR", {{"warmup_steps", 10}, {"min_lr", 0.1}}), 110);
  REQUIRE(schedule.ok());
  CHECK((*schedule)(0) == Approx(0.05));
  CHECK((*schedule)(9) == Approx(0.5));
  CHECK((*schedule)(10) == Approx(0.5));
  CHECK((*schedule)(60) == Approx(0.3));  // half-way between
  CHECK((*schedule)(110) == Approx(0.1));
  CHECK((*schedule)(1000) == Approx(0.1));  // a job that goes on stays there
  for (int64_t step = 11; step < 110; ++step) CHECK((*schedule)(step) < (*schedule)(step - 1));

  const auto shorter = MakeLrSchedule(With("WarmupCosineLR", {{"total_steps", 50}}), 110);
  REQUIRE(shorter.ok());
  CHECK((*shorter)(25) == Approx(0.25));
  CHECK((*shorter)(50) == Approx(0).margin(1e-12));
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
      {unknown, "unknown schedule 'CosineLR'; known: ConstantLR, StepLR, WarmupCosineLR"},
      {parameter, "ConstantLR takes no 'warmup'"},
      {With("StepLR", {}), "step_size: must be a whole number of steps, 1 or more, not 0"},
      {With("StepLR", {{"step_size", 2.5}}), "step_size: must be a whole number"},
      {With("StepLR", {{"step_size", 2}, {"gamma", 0}}), "gamma: must be above 0"},
      {With("StepLR", {{"warmup_steps", 2}}), "StepLR takes no 'warmup_steps'"},
      {With("WarmupCosineLR", {{"warmup_steps", -1}}), "warmup_steps: must be a whole number"},
      {With("WarmupCosineLR", {{"min_lr", 0.6}}), "min_lr: must be between 0 and lr, not 0.6"},
      {TrainSpec(), "lr: the learning rate is missing"},
      {WithRate(0), "must be a positive number"},
      {WithRate(-0.1), "must be a positive number"},
      {WithRate(std::numeric_limits<double>::quiet_NaN()), "must be a positive number"},
      {WithRate(std::numeric_limits<double>::infinity()), "must be a positive number"},
  };
  for (const auto& c : cases) {
    const auto schedule = MakeLrSchedule(c.spec, 100);
    REQUIRE(schedule.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(std::string(schedule.status().message()).find(c.part) != std::string::npos);
  }
}

}  // namespace
}  // namespace rm::trainer
