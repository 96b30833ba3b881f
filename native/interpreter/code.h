// Code: a function's graph as a flat list of instructions over numbered registers, ready to run.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ir/graph.h"

namespace threadwheel::interpreter {

enum class Opcode : std::uint8_t {
  kOp,
  kMove,          // destination <- operand 0
  kTake,          // the same; the operand is not used again
  kClear,         // operands: registers that are not used again
  kJump,          // to target
  kJumpUnless,    // operand 0: bool
  kNextRound,     // of a loop. operands: index, trips, condition; to target when it is over
  kGetAttribute,
  kSetAttribute,
  kCall,
  kCallMethod,
  kReturn,        // operand 0
  kTuple,
  kList,
  kDict,
  kUnpack,        // operands: the tuple or list, then the destinations
  kTupleIndex,
  kCreateObject,
  kIsInstance,
  kEnumName,
  kEnumValue,
  kFork,
  kWait,
  kRaise,
  // What scalar loops are made of, without a call of a kernel.
  kAddInt,
  kSubInt,
  kMulInt,
  kLessInt,
  kLessEqualInt,
  kGreaterInt,
  kGreaterEqualInt,
  kEqualInt,
  kNotEqualInt,
  kAddFloat,
  kSubFloat,
  kMulFloat,
  kNot,
  kAnd,
  kOr,
};

// Operands: registers from 0 on, constants as ~index.
struct Instruction {
  Opcode opcode;
  std::uint16_t num_operands = 0;
  std::int32_t destination = 0;
  std::uint32_t operands = 0;  // where in Code::operands
  std::uint32_t target = 0;
  BoxedKernel kernel = nullptr;
  const ir::Node* node = nullptr;  // what it was made from: names, types, places
};

struct Code {
  std::vector<Instruction> instructions;
  std::vector<std::int32_t> operands;
  std::vector<Value> constants;
  std::size_t num_registers = 0;  // parameters come first
  std::unique_ptr<const ir::Graph> graph;  // which the instructions refer to
};

std::unique_ptr<const Code> compile(std::unique_ptr<const ir::Graph> graph);

}  // namespace threadwheel::interpreter
