-- OpenCost and Kubecost: answers of /allocation as JSON; what pods used and asked for in each step, and what it cost
--
-- Layout: opencost/opencost, core/pkg/opencost/allocation_json.go: {"code":200,"data":[{"name": {allocation}, ..}, ..]},
-- an object a step; Kubecost's /allocation/summary (summaryallocation_json.go): {"code":200,"data":{"sets":[{"allocations":
-- {"name": {..}, ..}}, ..]}}, whose allocations have no properties but, where nothing is aggregated, all in their name,
-- cluster/node/namespace/pod/container. Floats that are no numbers come as null. __idle__ and __unmounted__ are capacity that nobody used: no
-- workloads. __unallocated__ are pods that run, but lack the label, controller or whatever the answer is aggregated by
-- (allocation.go tells IdleSuffix, UnmountedSuffix and UnallocatedSuffix apart). By pod or container a workload is
-- namespace/pod, else it is what the answer is aggregated by; where several clusters have one of a name, cluster/name.
-- Answers side by side may tell a step twice, and one that was asked for before it had passed is shorter.

create temp table allocations (
    name varchar not null check (name <> ''),
    cluster varchar,
    namespace varchar,
    pod varchar,
    controller varchar,
    controller_kind varchar,
    started_at timestamp not null check (started_at between '1970-01-01' and '2100-01-01'),
    minutes double not null check (minutes between 0 and 1e8),
    cpu_request double check (cpu_request between 0 and 1e6),
    cpu_usage double check (cpu_usage between 0 and 1e6),
    ram_request double check (ram_request between 0 and 1e16),
    ram_usage double check (ram_usage between 0 and 1e16),
    gpus double check (gpus between 0 and 1e5),
    pv_bytes double check (pv_bytes between 0 and 1e18),
    sent_bytes double check (sent_bytes between 0 and 1e18),
    received_bytes double check (received_bytes between 0 and 1e18),
    total_cost double
);
comment on table allocations is '{"needed": true, "keys": ["code", "data"]}';

create temp view allocations_in_document as
with answers as (from objects_in('document')),
steps as (
    select unnest(from_json(body->'data', '["JSON"]')) as step from answers where json_type(body->'data') = 'ARRAY'
    union all
    select set->'allocations' from (
        select unnest(coalesce(from_json(body->'$.data.sets', '["JSON"]'), [body->'data'])) as set
        from answers where json_type(body->'data') = 'OBJECT'
    )
),
entries as (
    select unnest(map_entries(cast(step as map(varchar, json)))) as e from steps where json_type(step) = 'OBJECT'
),
told as (
    select e.key as name, e.value as a, case when (a->'properties') is null and (a->'window') is null then string_split(name, '/') end as parts
    from entries where json_type(a) = 'OBJECT' and (a->'type') is null
),
placed as (select * exclude (parts), case when len(parts) = 5 then parts end as parts from told)
select
    name, coalesce(a->>'$.properties.cluster', parts[1]) as cluster, coalesce(a->>'$.properties.namespace', parts[3]) as namespace,
    coalesce(a->>'$.properties.pod', parts[4]) as pod,
    a->>'$.properties.controller' as controller, a->>'$.properties.controllerKind' as controller_kind,
    coalesce(a->>'start', a->>'$.window.start') as started_at, coalesce(a->>'minutes',
        cast(date_diff('second', instant(coalesce(a->>'$.window.start', a->>'start')),
            instant(coalesce(a->>'$.window.end', a->>'end'))) / 60.0 as varchar)) as minutes,
    a->>'cpuCoreRequestAverage' as cpu_request, a->>'cpuCoreUsageAverage' as cpu_usage,
    a->>'ramByteRequestAverage' as ram_request, a->>'ramByteUsageAverage' as ram_usage,
    coalesce(a->>'gpuCount', a->>'gpuRequestAverage') as gpus, a->>'pvBytes' as pv_bytes,
    a->>'networkTransferBytes' as sent_bytes, a->>'networkReceiveBytes' as received_bytes,
    a->>'totalCost' as total_cost
from placed;

-- Answers without an allocation say why.
create temp table refusals (reason varchar);
comment on table refusals is '{"keys": ["code"], "silent": true}';

create temp view refusals_in_document as
select case
    when try_cast(body->>'code' as integer) >= 400 or (body->>'status') = 'error'
        then format('the server answered with error {}: {}', body->>'code', coalesce(body->>'message', 'it tells no more'))
    when regexp_matches(cast(body->'data' as varchar), '^\[\{"[^"]*":\{[^{}]*"type":')
        then 'holds assets, what a cluster is made of: expected allocations, as /allocation answers'
    when json_type(body->'data') = 'OBJECT' and (body->'$.data.sets') is null and (body->'$.data.allocations') is null
        then 'its data is an object: expected a list with an object a step, as /allocation answers, or sets, as /allocation/summary does'
    else 'holds no allocations: ask for a window in which pods ran' end as reason
from document where (body->>'code') is not null;

create temp macro is_nobody(name) as regexp_matches(name, '(^|/)__(idle|unmounted)__(/|$)');
create temp macro lacks_property(name) as regexp_matches(name, '(^|/)__(unallocated|undefined)__(/|$)');

create temp table told_once as
select distinct * exclude (total_cost),
    coalesce(case when coalesce(pod, '') <> '' then coalesce(namespace || '/', '') || pod end, name) as plain
from allocations where not is_nobody(name)
qualify minutes = max(minutes) over (partition by name, cluster, namespace, pod, started_at);

create temp table used as
with homed as (select *, min(cluster) over w < max(cluster) over w as is_shared from told_once window w as (partition by plain))
select *, case when bool_or(is_shared) over () then nullif(cluster, '') || '/' end as home, coalesce(home, '') || plain as workload
from homed;

insert into usage by name
select
    $trace_id as trace_id, workload, started_at as sampled_at,
    exact_sum(cpu_usage) as cpu_cores, exact_sum(ram_usage / 1073741824) as memory_gib,
    exact_sum(sent_bytes / nullif(minutes * 60, 0) / 1048576) as network_out_mib_per_s,
    exact_sum(received_bytes / nullif(minutes * 60, 0) / 1048576) as network_in_mib_per_s,
    nullif(exact_sum(cpu_request), 0) as allocated_cpu_cores,
    nullif(exact_sum(ram_request / 1073741824), 0) as allocated_memory_gib
from used group by workload, started_at;

insert into workloads by name
with sized as (
    select workload, max(allocated_cpu_cores) as cores, max(allocated_memory_gib) as gib
    from usage where trace_id = $trace_id group by workload
),
told as (
    select workload, started_at, any_value(home) as home, any_value(namespace) as namespace, any_value(controller) as controller,
        bool_or(controller_kind in ('deployment', 'replicaset')) as scales_out,
        exact_sum(gpus) as gpus, exact_sum(pv_bytes / 1073741824) as storage_gib
    from used group by all
)
select
    $trace_id as trace_id, workload, 'container' as kind, any_value(namespace) as owner,
    any_value(coalesce(home, '') || coalesce(namespace || '/', '') || controller) as application, bool_or(scales_out) as scales_out,
    any_value(s.cores) as cpu_cores, any_value(s.gib) as memory_gib, nullif(max(gpus), 0) as gpus,
    nullif(max(storage_gib), 0) as storage_gib
from told left join sized s using (workload)
group by workload;

insert into notes
select format('{} entries are idle or unmounted capacity, no workloads; they cost {:.2f} of {:.2f} in the currency of the answer',
    count(*) filter (is_nobody(name)), coalesce(sum(total_cost) filter (is_nobody(name)), 0.0), coalesce(sum(total_cost), 0.0))
from allocations having count(*) filter (is_nobody(name)) > 0;

insert into notes
select format('{} workloads, such as {}, are all the pods without what the answer is aggregated by (a label, a controller): they run, each is planned as one, together up to {} cores in use',
    count(distinct workload), min(workload), round(max(cores), 3))
from (
    select workload, sum(exact_sum(cpu_usage)) over (partition by started_at) as cores
    from used where lacks_property(workload) group by workload, started_at
) having count(*) > 0;

insert into notes
select format('{} names are of several clusters, such as {}: each cluster''s is a workload of its own, cluster/name',
    count(distinct plain), min(plain))
from used where is_shared having count(*) > 0;

insert into notes
select format('{} allocations are told by several answers, and count once: of those of one step the longest',
    count(*) - (select count(*) from used))
from allocations where not is_nobody(name) having count(*) > (select count(*) from used);

insert into notes
select format('{} workloads are of answers by something larger than a pod (such as {}), {} are pods: what both tell of is planned twice',
    count(distinct workload) filter (coalesce(pod, '') = ''), min(workload) filter (coalesce(pod, '') = ''),
    count(distinct workload) filter (pod <> ''))
from used where not lacks_property(name)
having count(*) filter (coalesce(pod, '') = '') > 0 and count(*) filter (pod <> '') > 0;

insert into notes
select format('{} of {} allocations tell no CPU or memory in use', count(*) filter (cpu_usage is null or ram_usage is null), count(*))
from used having count(*) filter (cpu_usage is null or ram_usage is null) > 0;

insert into notes
select 'one step only: averages over the whole window, no peaks; ask with step=1h for more'
from used having count(distinct started_at) = 1;
