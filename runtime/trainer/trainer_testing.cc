#include "runtime/trainer/trainer_testing.h"

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "base/check.h"
#include "base/random.h"
#include "comm/collective/gang.h"
#include "runtime/model/model.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

std::string BigEndian(int value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xFF);
  return bytes;
}

}  // namespace

void RunGang(int ranks, const std::function<void(comm::Communicator&)>& body) {
  std::vector<std::unique_ptr<comm::Endpoint>> endpoints;
  comm::Membership membership;
  membership.job = "test";
  membership.generation = 1;
  for (int rank = 0; rank < ranks; ++rank) {
    comm::EndpointOptions options;
    options.transport = "loopback";
    auto endpoint = comm::OpenEndpoint(options);
    RM_CHECK(endpoint.ok(), endpoint.status().ToString());
    membership.peers.push_back((*endpoint)->address());
    endpoints.push_back(*std::move(endpoint));
  }
  // A body that fails at once aborts the gang: nobody may still be on the way in then.
  absl::Barrier joined(ranks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      comm::Membership own = membership;
      own.rank = rank;
      auto communicator = endpoints[static_cast<size_t>(rank)]->Join(own);
      RM_CHECK(communicator.ok(), communicator.status().ToString());
      joined.Block();
      body(**communicator);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void WriteDigits(base::FileSystem& files, const std::string& prefix, int count, int classes) {
  constexpr int kSide = 28;
  std::string images = BigEndian(0x803) + BigEndian(count) + BigEndian(kSide) + BigEndian(kSide);
  std::string labels = BigEndian(0x801) + BigEndian(count);
  base::RandomStream noise(7, 1);
  for (int i = 0; i < count; ++i) {
    const int label = i % classes;
    labels += static_cast<char>(label);
    for (int row = 0; row < kSide; ++row) {
      const bool bar = row / 2 == label;
      for (int column = 0; column < kSide; ++column) {
        images += static_cast<char>((bar ? 200 : 0) + static_cast<int>(noise.NextBelow(40)));
      }
    }
  }
  RM_CHECK(files.MakeFolders(base::ParentPath(prefix)).ok());
  RM_CHECK(base::WriteFileAtomically(files, prefix + "-images-idx3-ubyte", images).ok());
  RM_CHECK(base::WriteFileAtomically(files, prefix + "-labels-idx1-ubyte", labels).ok());
}

pb::JobSpec SmallJob() {
  pb::JobSpec spec;
  spec.mutable_model()->set_zoo("mlp");
  (*spec.mutable_model()->mutable_params())["hidden1"] = 16;
  (*spec.mutable_model()->mutable_params())["hidden2"] = 12;
  spec.mutable_data()->mutable_train()->set_path("/data/train");
  spec.mutable_data()->mutable_train()->set_format("idx");
  spec.mutable_data()->mutable_validation()->set_path("/data/test");
  spec.mutable_data()->mutable_validation()->set_format("idx");
  pb::TrainSpec& train = *spec.mutable_train();
  train.set_epochs(4);
  train.set_global_batch_size(12);
  train.set_seed(3);
  train.mutable_optimizer()->set_type("SGD");
  (*train.mutable_optimizer()->mutable_params())["lr"] = 0.05;
  (*train.mutable_optimizer()->mutable_params())["momentum"] = 0.9;
  spec.mutable_checkpoint()->set_keep_last(2);
  spec.mutable_checkpoint()->set_on_error("warn");
  return spec;
}

graph::Graph TrainingGraph(const pb::ModelSpec& spec, int64_t batch) {
  const auto model = model::BuildGraph(spec);
  RM_CHECK(model.ok(), model.status().ToString());
  auto graph = model::ForBatch(*model, spec, batch, model::Purpose::kTraining);
  RM_CHECK(graph.ok(), graph.status().ToString());
  return *std::move(graph);
}

pb::RankStart StartOf(const pb::JobSpec& spec, int rank, int world_size, int64_t generation) {
  pb::RankStart start;
  start.mutable_rank()->set_job_id("test");
  start.mutable_rank()->set_generation(generation);
  start.mutable_rank()->set_rank(rank);
  start.set_world_size(world_size);
  *start.mutable_spec() = spec;
  start.set_checkpoint_folder("/checkpoints");
  start.set_threads(1);
  return start;
}

}  // namespace rm::trainer
