/* tree.h: a directory and everything in it, gone. */
#ifndef ZAN_NODE_TREE_H
#define ZAN_NODE_TREE_H

/* What is not there, or cannot be removed, is passed over: who makes the directory anew will say.
 */
void tree_remove(const char *path);

#endif
