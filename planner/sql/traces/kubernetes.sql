-- Kubernetes: kubectl get pods/nodes -o json and kubectl top pods/nodes; what pods ask for, and one reading of what they use
--
-- Quantities are those of Kubernetes (250m, 1Gi, 64M, 1e3). A pod needs what its containers ask for together, or the most
-- that an init container needs with the sidecars started before it: those are init containers that keep running
-- (restartPolicy Always), and count with the containers too. What the pod asks for as a whole comes before that sum, its
-- limit stands in where no container asks, overhead comes on top (kubernetes.io, Effective Pod requests and limits).
-- Pods that ended are no workloads; those of DaemonSets and of nodes themselves run wherever there is a node, and the
-- models count them there. Nodes without pods are machines. A pod or node alone is read as a list of one, and lists may
-- lie in a list. Pods of one name and several uids are several, of clusters side by side or one after the other.

create temp table containers (
    pod varchar not null check (pod <> ''),
    namespace varchar,
    uid varchar,
    phase varchar,
    owner_kind varchar,
    owner_name varchar,
    node varchar,
    role varchar not null check (role in ('container', 'sidecar', 'init', 'overhead', 'pod', 'limit')),
    place bigint,
    container varchar,
    cpu varchar check (quantity(cpu) between 0 and 1e6),
    memory varchar check (quantity(memory) between 0 and 1e16),
    gpu varchar check (quantity(gpu) between 0 and 1e5),
    unlisted bigint,
    check (cpu is null or quantity(cpu) is not null),
    check (memory is null or quantity(memory) is not null),
    check (gpu is null or quantity(gpu) is not null)
);
comment on table containers is '{"named": true, "keys": ["items|metadata"]}';

-- The place of a container is its ordinal among the containers, or the init containers, of its pod.
create temp view containers_in_document as
with pods as (
    select
        item->>'$.metadata.name' as pod, item->>'$.metadata.namespace' as namespace, item->>'$.metadata.uid' as uid,
        item->>'$.status.phase' as phase, unlisted,
        item->>'$.metadata.ownerReferences[0].kind' as owner_kind, item->>'$.metadata.ownerReferences[0].name' as owner_name,
        item->>'$.spec.nodeName' as node, item->'spec' as spec,
        from_json(item->'$.spec.containers', '["JSON"]') as containers,
        from_json(item->'$.spec.initContainers', '["JSON"]') as starters
    from items_of('document') where kind = 'Pod'
),
parts as (
    select pods.* exclude (spec, containers, starters), 'container' as role,
        unnest(containers) as c, generate_subscripts(containers, 1) as place from pods
    union all by name
    select pods.* exclude (spec, containers, starters), 'init' as role,
        unnest(starters) as c, generate_subscripts(starters, 1) as place from pods
    union all by name
    select pods.* exclude (spec, containers, starters), 'overhead' as role,
        json_object('resources', json_object('requests', spec->'overhead')) as c
    from pods where (spec->'overhead') is not null
    union all by name
    select pods.* exclude (spec, containers, starters), 'pod' as role,
        json_object('resources', json_object('requests', spec->'$.resources.requests')) as c
    from pods where (spec->'$.resources.requests') is not null
    union all by name
    select pods.* exclude (spec, containers, starters), 'limit' as role,
        json_object('resources', json_object('requests', spec->'$.resources.limits')) as c
    from pods where (spec->'$.resources.limits') is not null
)
select
    * exclude (c, role), case when role = 'init' and (c->>'restartPolicy') = 'Always' then 'sidecar' else role end as role,
    c->>'name' as container,
    coalesce(c->>'$.resources.requests.cpu', c->>'$.resources.limits.cpu') as cpu,
    coalesce(c->>'$.resources.requests.memory', c->>'$.resources.limits.memory') as memory,
    coalesce(c->>'$.resources.requests."nvidia.com/gpu"', c->>'$.resources.limits."nvidia.com/gpu"',
        c->>'$.resources.limits."amd.com/gpu"') as gpu
from parts;

-- Documents without a pod or a node say what they hold.
create temp table strangers (reason varchar);
comment on table strangers is '{"keys": ["apiVersion", "kind"], "silent": true}';

create temp view strangers_in_document as
select format('holds {}: expected pods with their containers, or nodes, as kubectl get pods -A -o json tells them',
    coalesce(string_agg(distinct kind, ', ' order by kind), 'nothing')) as reason
from items_of('document');

create temp table nodes (
    node varchar not null check (node <> ''),
    cpu varchar not null check (quantity(cpu) between 0 and 1e6),
    memory varchar not null check (quantity(memory) between 0 and 1e16),
    gpu varchar check (quantity(gpu) between 0 and 1e5),
    arch varchar,
    type varchar,
    zone varchar,
    check (quantity(cpu) is not null),
    check (quantity(memory) is not null),
    check (gpu is null or quantity(gpu) is not null)
);
comment on table nodes is '{"keys": ["items|metadata"]}';

create temp view nodes_in_document as
select
    item->>'$.metadata.name' as node, item->>'$.status.capacity.cpu' as cpu, item->>'$.status.capacity.memory' as memory,
    item->>'$.status.capacity."nvidia.com/gpu"' as gpu, item->>'$.status.nodeInfo.architecture' as arch,
    item->>'$.metadata.labels."node.kubernetes.io/instance-type"' as type,
    item->>'$.metadata.labels."topology.kubernetes.io/zone"' as zone
from items_of('document') where kind = 'Node';

-- Text as kubectl prints it; with --containers the pod stands first and NAME is the container's.
create temp table top_pods (
    name varchar not null,
    namespace varchar,
    pod varchar,
    cpu varchar not null check (quantity(cpu) between 0 and 1e6),
    memory varchar not null check (quantity(memory) between 0 and 1e16),
    check (quantity(cpu) is not null),
    check (quantity(memory) is not null)
);
comment on table top_pods is '{"named": true}';
comment on column top_pods.cpu is 'CPU(cores)';
comment on column top_pods.memory is 'MEMORY(bytes)';

create temp table top_nodes (
    name varchar not null,
    cpu varchar not null check (quantity(cpu) between 0 and 1e6),
    cpu_percent varchar not null,
    memory varchar not null check (quantity(memory) between 0 and 1e16),
    check (quantity(cpu) is not null),
    check (quantity(memory) is not null)
);
comment on column top_nodes.cpu is 'CPU(cores)';
comment on column top_nodes.cpu_percent is 'CPU%|CPU(%)';
comment on column top_nodes.memory is 'MEMORY(bytes)';

-- Settings. The commands tell no time: their reading is of a Monday, 00:00 UTC.
create temp macro undated() as timestamp '1970-01-05 00:00:00';
create temp macro full_name(namespace, pod) as coalesce(namespace || '/', '') || pod;

-- An init container runs beside the sidecars that were started before it.
create temp table needs as
select
    * exclude (cpu, memory, gpu), quantity(cpu) as cores, quantity(memory) as bytes, quantity(gpu) as gpus,
    sum(quantity(cpu)) filter (role = 'sidecar') over earlier as cores_beside,
    sum(quantity(memory)) filter (role = 'sidecar') over earlier as bytes_beside,
    sum(quantity(gpu)) filter (role = 'sidecar') over earlier as gpus_beside
from (
    select distinct * exclude (file, unlisted), min(file) over (partition by namespace, pod, uid) as file,
        min(uid) over (partition by namespace, pod) < max(uid) over (partition by namespace, pod) as is_shared
    from containers
)
window earlier as (
    partition by namespace, pod, uid, phase, owner_kind, owner_name, node order by place, role, container
    rows between unbounded preceding and 1 preceding
);

create temp macro together(a, b) as coalesce(round(a + b, 9), a, b);

create temp table asked as
with parts as (
    select namespace, pod, uid, file, coalesce(is_shared, false) as is_shared, case role when 'sidecar' then 'container' else role end as part,
        phase, owner_kind, owner_name, node,
        exact_sum(cores) as cores, max(together(cores, cores_beside)) as most_cores,
        exact_sum(bytes) / 1073741824 as gib, max(together(bytes, bytes_beside)) / 1073741824 as most_gib,
        sum(gpus) as gpus, max(together(gpus, gpus_beside)) as most_gpus
    from needs group by all
)
select
    namespace, pod, any_value(file) as file, case when bool_or(is_shared)
        then concat(any_value(file), '/', case when count(*) over (partition by namespace, pod, any_value(file)) > 1 then uid || '/' end)
        else '' end || full_name(namespace, pod) as workload,
    bool_or(is_shared) as is_shared, any_value(phase) as phase,
    any_value(owner_kind) as owner_kind, any_value(owner_name) as owner_name, any_value(node) as node,
    coalesce(max(cores) filter (part = 'pod'),
        greatest(max(cores) filter (part = 'container'), max(most_cores) filter (part = 'init')),
        max(cores) filter (part = 'limit')) + coalesce(max(cores) filter (part = 'overhead'), 0) as cores,
    coalesce(max(gib) filter (part = 'pod'),
        greatest(max(gib) filter (part = 'container'), max(most_gib) filter (part = 'init')),
        max(gib) filter (part = 'limit')) + coalesce(max(gib) filter (part = 'overhead'), 0) as gib,
    greatest(max(gpus) filter (part = 'container'), max(most_gpus) filter (part = 'init')) as gpus
from parts group by namespace, pod, uid;

create temp table running as
from asked
where coalesce(phase, 'Running') not in ('Succeeded', 'Failed') and coalesce(owner_kind, '') not in ('DaemonSet', 'Node');

-- Files are readings one after the other: of several the mean of cores and the most memory. Containers of a pod add up.
create temp table readings as
with each as (
    select namespace, coalesce(pod, name) as pod, file, exact_sum(quantity(cpu)) as cores,
        exact_sum(quantity(memory)) / 1073741824 as gib
    from top_pods group by all
)
select namespace, pod, exact_avg(cores) as cores, max(gib) as gib, count(*) as times from each group by namespace, pod;

create temp table node_readings as
select name, exact_avg(quantity(cpu)) as cores, max(quantity(memory)) / 1073741824 as gib, count(*) as times
from top_nodes group by name;

-- A reading of one namespace does not say which; then the name of the pod must do.
create temp table machines_or_pods as
select
    coalesce(p.workload, full_name(r.namespace, r.pod)) as workload, 'container' as kind,
    coalesce(p.namespace, r.namespace) as owner,
    full_name(coalesce(p.namespace, r.namespace),
        coalesce(regexp_replace(p.owner_name, '-[a-f0-9]{8,10}$', ''), regexp_replace(coalesce(p.pod, r.pod),
            '-[a-f0-9]{8,10}-[a-z0-9]{5}$|-[0-9]+$', ''))) as application,
    p.owner_kind = 'ReplicaSet' as scales_out, p.cores, p.gib, p.gpus, n.arch, r.cores as cores_used, r.gib as gib_used
from running p
full join (
    select * from readings r where not exists (
        from asked a where a.pod = r.pod and coalesce(a.namespace = r.namespace, true)
            and (a.is_shared or a.workload not in (select workload from running)))
) r on not p.is_shared and p.pod = r.pod and coalesce(p.namespace = r.namespace, true)
left join (select distinct on (node) * from nodes order by node, cpu) n on n.node = p.node
union all by name
select
    coalesce(n.node, t.name) as workload, 'vm' as kind, n.zone as owner, quantity(n.cpu) as cores,
    quantity(n.memory) / 1073741824 as gib, quantity(n.gpu) as gpus, n.arch,
    t.cores as cores_used, t.gib as gib_used
from (select distinct on (node) * from nodes order by node, cpu) n
full join node_readings t on t.name = n.node
where not exists (from containers) and not exists (from top_pods);

-- Where a pod asks for CPU its reading is a share of that, and says nothing of peaks: the demand's policy states a
-- spread. Else it is the one sample there is.
insert into workloads by name
select
    $trace_id as trace_id, workload, kind, owner, application, nullif(cores, 0) as cpu_cores, nullif(gib, 0) as memory_gib,
    gpus, case arch when 'amd64' then 'x86_64' when 'arm64' then 'arm64' end as arch, scales_out,
    100 * cores_used / nullif(cores, 0) as cpu_percent_mean
from machines_or_pods;

insert into usage by name
select
    $trace_id as trace_id, workload, undated() as sampled_at,
    case when coalesce(cores, 0) = 0 then cores_used end as cpu_cores, gib_used as memory_gib
from machines_or_pods where gib_used is not null or cores_used is not null;

insert into notes
select format('kubectl top has one reading and no time: {} workloads, the cores read are their average, where they ask for CPU more is planned for by demand.reading_cpu_spread',
    count(*))
from machines_or_pods where cores_used is not null having count(*) > 0;

insert into notes
select format('{} pods or nodes are read several times: the mean of their cores counts, and the most memory', count(*))
from (select times from readings union all select times from node_readings) where times > 1 having count(*) > 0;

insert into notes
select format('{} of {} workloads have no reading of what they use: planned as they ask', count(*) filter (cores_used is null), count(*))
from machines_or_pods having count(*) filter (cores_used is null) > 0;

insert into notes
select format('{} of {} pods ask for no CPU, {} for no memory', count(*) filter (coalesce(cores, 0) = 0), count(*),
    count(*) filter (coalesce(gib, 0) = 0))
from running having count(*) filter (coalesce(cores, 0) = 0 or coalesce(gib, 0) = 0) > 0;

insert into notes
select format('{} pods have a name that another pod has, such as {}: their uids differ, so they are several, of clusters side by side or one after the other; a reading of that name is nobody''s',
    count(*), min(full_name(namespace, pod)))
from asked where is_shared having count(*) > 0;

insert into notes
select format('a list was cut by its server: {} more items or so, get it again without --limit or follow its metadata.continue', max(unlisted))
from containers having max(unlisted) > 0;

insert into notes
select format('{} pods have ended (Succeeded, Failed) and are no workloads', count(*))
from asked where phase in ('Succeeded', 'Failed') having count(*) > 0;

insert into notes
select format('{} pods of DaemonSets or of nodes themselves are left out, {} cores and {} GiB asked for: the models count them by node',
    count(*), round(coalesce(sum(cores), 0), 2), round(coalesce(sum(gib), 0), 2))
from asked where owner_kind in ('DaemonSet', 'Node') and coalesce(phase, '') not in ('Succeeded', 'Failed')
having count(*) > 0;

insert into notes
select format('the cluster has {} nodes today: {} cores, {} GiB', count(*), round(sum(quantity(cpu)), 1),
    round(sum(quantity(memory)) / 1073741824, 1))
from (select distinct on (node) * from nodes order by node, cpu)
having count(*) > 0 and exists (from containers);
