#include "runtime/trainer/evaluator.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/memory_file_system.h"
#include "kernels/kernels.h"
#include "runtime/model/model.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

using Metrics = std::map<std::string, double>;

// What `ranks` ranks find on `samples` samples with fresh weights, twice; rank 0's view of it.
struct Evaluation {
  Metrics first;
  Metrics second;
};

Evaluation Evaluate(int ranks, int samples) {
  base::MemoryFileSystem files;
  WriteDigits(files, "/data/test", samples, 6);
  const auto dataset = data::Dataset::Open(SmallJob().data().validation(), files);
  REQUIRE(dataset.ok());
  std::vector<Evaluation> seen(static_cast<size_t>(ranks));
  RunGang(ranks, [&](comm::Communicator& communicator) {
    const auto model = model::BuildGraph(SmallJob().model());
    RM_CHECK(model.ok());
    ReplicaOptions options;
    options.kernels = kernels::CpuKernels();
    auto optimizer = MakeOptimizer(SmallJob().train().optimizer());
    const auto replica = Replica::Build(TrainingGraph(SmallJob().model(), 1), options,
                                        *std::move(optimizer), communicator);
    RM_CHECK(replica.ok());
    const auto evaluator = Evaluator::Create(*model, SmallJob().model(), **dataset, **replica, 1,
                                             kernels::CpuKernels(), {}, communicator);
    RM_CHECK(evaluator.ok(), evaluator.status().ToString());
    Evaluation& own = seen[static_cast<size_t>(communicator.rank())];
    own.first = *(*evaluator)->Run();
    for (const StateTensor& tensor : (*replica)->Weights()) {
      for (float& value : tensor.values) value = 0;  // now every class is as likely
    }
    own.second = *(*evaluator)->Run();
  });
  for (const Evaluation& other : seen) {
    CHECK(other.first == seen[0].first);
    CHECK(other.second == seen[0].second);
  }
  return seen[0];
}

TEST_CASE("every sample counts once, at any world size and any number of samples") {
  for (const int samples : {1, 7, 130, 300}) {  // below, at and above a batch
    const Evaluation alone = Evaluate(1, samples);
    CHECK(alone.first.at("validation/samples") == samples);
    for (const int ranks : {2, 3}) {
      CAPTURE(samples, ranks);
      const Evaluation together = Evaluate(ranks, samples);
      CHECK(together.first.at("validation/samples") == samples);
      CHECK(together.first.at("validation/accuracy") == alone.first.at("validation/accuracy"));
      CHECK(together.first.at("validation/loss") ==
            Approx(alone.first.at("validation/loss")).epsilon(1e-6));
    }
  }
}

TEST_CASE("the evaluator sees the replica's weights as they are now") {
  const Evaluation seen = Evaluate(2, 60);
  CHECK(seen.second.at("validation/loss") == Approx(std::log(10.0)));
  CHECK(seen.second.at("validation/accuracy") == Approx(1.0 / 6));  // all say class 0
  CHECK(seen.first != seen.second);
}

}  // namespace
}  // namespace rm::trainer
