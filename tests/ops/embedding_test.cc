#include "ops/embedding.h"

#include <gtest/gtest.h>
