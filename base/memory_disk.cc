#include "base/memory_disk.h"

#include <iterator>
#include <set>

#include "base/random.h"

namespace rm::base {
namespace {

// Does to a list of names what a change says.
void Apply(const DiskChange& change, std::map<std::string, DiskNodePtr>* names) {
  for (const auto& [name, node] : change) {
    if (node == nullptr) {
      names->erase(name);
    } else {
      (*names)[name] = node;
    }
  }
}

// A walk over the durable tree, cutting each node down to what survived.
class PowerCut {
 public:
  explicit PowerCut(uint64_t torn_seed) : torn_(torn_seed != 0), random_(torn_seed, 0) {}

  void Cut(DiskNode& node) {
    if (node.is_folder) {
      CutFolder(node);
    } else {
      node.synced += Survivors(node.bytes.size() - node.synced);
      node.bytes.resize(node.synced);
    }
  }

 private:
  // First the folder's own names, then what the surviving ones lead to.
  void CutFolder(DiskNode& folder) {
    folders_.insert(&folder);
    const size_t kept = Survivors(folder.pending.size());
    for (size_t i = 0; i < kept; ++i) Apply(folder.pending[i], &folder.durable_names);
    folder.pending.clear();
    DropFoldersSeen(folder);
    folder.names = folder.durable_names;
    for (const auto& [name, child] : folder.names) Cut(*child);
  }

  // A folder that was moved may have survived under both names. It keeps the first that is met, as
  // fsck has it.
  void DropFoldersSeen(DiskNode& folder) {
    for (auto it = folder.durable_names.begin(); it != folder.durable_names.end();) {
      const bool seen = it->second->is_folder && !folders_.insert(it->second.get()).second;
      it = seen ? folder.durable_names.erase(it) : std::next(it);
    }
  }

  // How many of `count` unsynced things made it.
  size_t Survivors(size_t count) {
    return torn_ ? static_cast<size_t>(random_.NextBelow(count + 1)) : 0;
  }

  const bool torn_;
  RandomStream random_;
  std::set<const DiskNode*> folders_;
};

}  // namespace

DiskNodePtr DiskNode::Child(const std::string& name) const {
  const auto it = names.find(name);
  return it == names.end() ? nullptr : it->second;
}

void DiskNode::Change(DiskChange change) {
  Apply(change, &names);
  pending.push_back(std::move(change));
}

void DiskNode::Sync() {
  synced = bytes.size();
  durable_names = names;
  pending.clear();
}

void DiskNode::Truncate() {
  bytes.clear();
  synced = 0;
}

void RemoveContents(DiskNode& folder) {
  while (!folder.names.empty()) {
    const auto [name, child] = *folder.names.begin();
    RemoveContents(*child);
    folder.Change({{name, nullptr}});
  }
}

uint64_t BytesBelow(const DiskNode& node) {
  uint64_t sum = node.bytes.size();
  for (const auto& [name, child] : node.names) sum += BytesBelow(*child);
  return sum;
}

void LosePower(DiskNode& root, uint64_t torn_seed) { PowerCut(torn_seed).Cut(root); }

}  // namespace rm::base
